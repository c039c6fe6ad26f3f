import type { ServerResponse } from 'node:http';
import type { BodySink, Reply, StreamedBody } from '../pipeline/request.ts';
import type { NodeRequest } from './node-request.ts';

/** @param stalledTimeoutMs how long a caller may leave an answer unread */
export function writeReply(request: Pick<NodeRequest, 'discardRest'>, response: ServerResponse, { status, headers, body }: Reply, stalledTimeoutMs: number): void {
  if (response.destroyed) {
    if (typeof body === 'object') body.abort();
    return;
  }
  response.writeHead(status, headers);
  if (typeof body === 'object') pipeBody(body, response, stalledTimeoutMs);
  else response.end(body);
  request.discardRest();
}

/** Bytes that are worth a string: head and body then leave in one piece, for which the system has a shorter way than for two. */
const maxStringBytes = 16_384;

function endWith(response: ServerResponse, last: Buffer | undefined): void {
  if (last === undefined || last.length > maxStringBytes) response.end(last);
  // A character for each byte, and back: the same bytes.
  else response.end(last.toString('latin1'), 'latin1');
}

function pipeBody(body: StreamedBody, response: ServerResponse, stalledTimeoutMs: number): void {
  // While a caller does not read, nothing else bounds how long it holds the upstream's connection.
  let stalled: NodeJS.Timeout | undefined;
  response.on('drain', () => {
    clearTimeout(stalled);
    body.resume();
  });
  const write = (chunk: Buffer): boolean => {
    if (response.writableEnded || response.destroyed) return false;
    const wantsMore = response.write(chunk);
    clearTimeout(stalled);
    if (!wantsMore) stalled = setTimeout(() => response.destroy(), stalledTimeoutMs).unref();
    return wantsMore;
  };
  // The first piece waits until `pipe` returns: an answer that is here as a whole then leaves in one write, head and all.
  let first: Buffer | undefined;
  let isPiping = true;
  const writeFirst = (): void => {
    const chunk = first;
    first = undefined;
    if (chunk !== undefined) write(chunk);
  };
  const sink: BodySink = {
    write: (chunk) => {
      if (isPiping && first === undefined) {
        first = chunk;
        return true;
      }
      writeFirst();
      return write(chunk);
    },
    end: () => {
      clearTimeout(stalled);
      endWith(response, first);
      first = undefined;
    },
    // The head is out: all that can still be said is that the answer is not whole.
    fail: () => void (response.writableEnded || response.destroy()),
  };
  body.pipe(sink);
  isPiping = false;
  if (response.writableEnded) return;
  // A stream's head goes out now, its first event may be long in coming.
  if (first === undefined) response.flushHeaders();
  else writeFirst();
}
