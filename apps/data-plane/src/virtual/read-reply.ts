import { readEnvelopes, type RpcId } from '@gatehouse/mcp-protocol';
import { discard } from '../bridges/answers.ts';
import { readMessages } from '../bridges/read-messages.ts';
import { readAlready, readWhole } from '../pipeline/read-whole.ts';
import type { Reply, UpstreamResponse } from '../pipeline/request.ts';

/** A reply as if it had come from an upstream: for what reads those. */
export function asResponse({ status, headers, body }: Reply): UpstreamResponse {
  const read: Record<string, string> = {};
  for (let index = 0; index + 1 < headers.length; index += 2) read[(headers[index] as string).toLowerCase()] = headers[index + 1] as string;
  return { status, headers: read, body: typeof body === 'object' ? body : readAlready(body === undefined || body === '' ? [] : [Buffer.from(body)]) };
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

/** A body that is read to its end, within a bound. @throws GatewayError upstream_failed */
export async function readText(body: Reply['body'], maxBytes: number): Promise<string> {
  return typeof body === 'object' ? Buffer.concat(await readWhole(body, maxBytes)).toString('utf8') : (body ?? '');
}

/** Servers of the modern era say with a code of theirs what they refuse (MCP 2026-07-28, transports); the others never heard of it. */
export function isModernError(text: string): boolean {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown } };
    const code = error?.code;
    return typeof code === 'number' && code !== unsupportedVersion && code <= -32_020 && code >= -32_099;
  } catch {
    return false;
  }
}

/** It may be that it knows earlier ones only. */
const unsupportedVersion = -32_022;
