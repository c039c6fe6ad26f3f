import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { GatewayError } from '@gatehouse/errors';
import type { UpstreamResponse } from '../../pipeline/request.ts';
import { discard, isEventStream } from '../answers.ts';
import { type BodyEnd, readMessages } from '../read-messages.ts';
import { ReconnectPauses } from './reconnect-pauses.ts';

/** Connections in a row that do not last, before an answer is given up: some three minutes. */
const maxAttempts = 10;

export interface StreamReading {
  readonly maxLength: number;
  /** Ends all reading. */
  readonly signal: AbortSignal;
  /** Asks for a stream: the one that the id belongs to where there is one. */
  listen(lastEventId: string | undefined): Promise<UpstreamResponse>;
  /** Answers whether more is wanted for now. */
  onMessage(text: string): boolean;
}

/**
 * Reads the answer to a request until `isDone`. Where a stream breaks off before, it is taken up again by `Last-Event-ID`
 * (MCP 2025-11-25, resumability).
 * @returns how the last attempt ended
 */
export async function readAnswer(response: UpstreamResponse, reading: StreamReading, isDone: () => boolean): Promise<BodyEnd> {
  const pauses = new ReconnectPauses();
  let { end, lastedMs } = await read(response, reading);
  while (!isDone() && end.lastEventId !== undefined) {
    const { lastEventId, retryMs } = end;
    const pauseMs = pauses.next(lastedMs, retryMs);
    if (pauses.attempts > maxAttempts) return end;
    await pause(pauseMs, undefined, { ref: false, signal: reading.signal });
    const resumed = await reading.listen(lastEventId);
    if (resumed.status !== 200 || !isEventStream(resumed)) {
      discard(resumed.body);
      return end;
    }
    ({ end, lastedMs } = await read(resumed, reading));
    end = { ...end, lastEventId: end.lastEventId ?? lastEventId, retryMs: end.retryMs ?? retryMs };
  }
  return end;
}

/**
 * Reads what the upstream says without being asked, for as long as the signal lets it. A server that has no such stream
 * (405), or no longer has the session (404), is not asked again; neither is one on behalf of a caller who has no place here any more.
 * @returns the status of an answer that is no stream, 404 where the session is over on this side
 */
export async function readAnnouncements(reading: StreamReading): Promise<number> {
  const pauses = new ReconnectPauses();
  let lastEventId: string | undefined;
  let retryMs: number | undefined;
  for (;;) {
    const response = await reading.listen(lastEventId).catch((error: unknown) => (isOver(error) ? 404 : undefined));
    if (response === 404) return response;
    let lasted = 0;
    if (response !== undefined && (response.status !== 200 || !isEventStream(response))) {
      discard(response.body);
      if (response.status < 500) return response.status;
    } else if (response !== undefined) {
      const { end, lastedMs } = await read(response, reading);
      lasted = lastedMs;
      retryMs = end.retryMs ?? retryMs;
      lastEventId = end.lastEventId ?? lastEventId;
    }
    await pause(pauses.next(lasted, retryMs), undefined, { ref: false, signal: reading.signal });
  }
}

const isOver = (error: unknown): boolean => error instanceof GatewayError && error.code === 'session_not_found';

async function read(response: UpstreamResponse, reading: StreamReading): Promise<{ end: BodyEnd; lastedMs: number }> {
  const startedAt = performance.now();
  const end = await readMessages(response, reading.maxLength, (text) => reading.onMessage(text));
  return { end, lastedMs: performance.now() - startedAt };
}
