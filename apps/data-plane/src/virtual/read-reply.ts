import { GatewayError } from '@gatehouse/errors';
import { readEnvelopes, type RpcId } from '@gatehouse/mcp-protocol';
import { discard } from '../bridges/answers.ts';
import { readMessages } from '../bridges/read-messages.ts';
import type { Reply, StreamedBody, UpstreamResponse } from '../pipeline/request.ts';

/** A reply as if it had come from an upstream: for what reads those. */
export function asResponse({ status, headers, body }: Reply): UpstreamResponse {
  const read: Record<string, string> = {};
  for (let index = 0; index + 1 < headers.length; index += 2) read[(headers[index] as string).toLowerCase()] = headers[index + 1] as string;
  return { status, headers: read, body: typeof body === 'object' ? body : textBody(body ?? '') };
}

export const headerOf = ({ headers }: Reply, name: string): string | undefined => {
  const at = headers.findIndex((candidate, index) => index % 2 === 0 && candidate.toLowerCase() === name);
  return at === -1 ? undefined : headers[at + 1];
};

/**
 * The message that answers a request; an event stream is read until it comes, and no further.
 * @returns `undefined` where there is none
 * @throws GatewayError upstream_failed
 */
export async function readAnswer(reply: Reply, id: RpcId, maxBytes: number): Promise<string | undefined> {
  if (typeof reply.body === 'string') return answersTo(reply.body, id) ? reply.body : undefined;
  if (reply.body === undefined) return undefined;
  const response = asResponse(reply);
  let answer: string | undefined;
  const { failure } = await readMessages(response, maxBytes, (text) => {
    if (answer !== undefined || !answersTo(text, id)) return true;
    answer = text;
    // It may stay open; nothing more is expected of it.
    if (reply.isEventStream === true) response.body.abort();
    return true;
  });
  if (answer === undefined && failure !== undefined) throw failure;
  return answer;
}

/** A refusal before a message is read may leave the id out. */
function answersTo(text: string, id: RpcId): boolean {
  return readEnvelopes(text)?.some((envelope) => envelope.kind === 'response' && (envelope.id === id || (envelope.isError && envelope.id === null))) === true;
}

/** Nobody wants it. */
export function drop({ body, isEventStream }: Reply): void {
  if (typeof body !== 'object') return;
  if (isEventStream === true) body.abort();
  else discard(body);
}

/** A body that is read to its end, within a bound. */
export function readText(body: Reply['body'], maxBytes: number): Promise<string> {
  if (typeof body !== 'object') return Promise.resolve(body ?? '');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    body.pipe({
      write: (chunk) => {
        bytes += chunk.length;
        if (bytes <= maxBytes) chunks.push(chunk);
        else {
          body.abort();
          reject(new GatewayError('upstream_failed', { detail: `an answer of more than ${maxBytes} bytes, which has to be read` }));
        }
        return true;
      },
      end: () => resolve(Buffer.concat(chunks).toString('utf8')),
      fail: reject,
    });
  });
}

function textBody(text: string): StreamedBody {
  return {
    pipe: (sink) => {
      if (text !== '') sink.write(Buffer.from(text));
      sink.end();
    },
    resume: () => undefined,
    abort: () => undefined,
  };
}
