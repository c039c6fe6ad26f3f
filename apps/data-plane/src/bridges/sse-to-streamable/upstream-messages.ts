import { setTimeout as pause } from 'node:timers/promises';
import type { UpstreamResponse } from '../../pipeline/request.ts';
import { discard, isEventStream } from '../answers.ts';
import { type BodyEnd, readMessages } from '../read-messages.ts';

const maxAttempts = 5;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

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
  let end = await readMessages(response, reading.maxLength, (text) => reading.onMessage(text));
  for (let attempt = 0; !isDone() && end.lastEventId !== undefined && attempt < maxAttempts; attempt += 1) {
    const { lastEventId } = end;
    await pause(end.retryMs ?? firstPauseMs, undefined, { ref: false, signal: reading.signal });
    const resumed = await reading.listen(lastEventId);
    if (resumed.status !== 200 || !isEventStream(resumed)) {
      discard(resumed.body);
      return end;
    }
    end = await readMessages(resumed, reading.maxLength, (text) => {
      attempt = 0;
      return reading.onMessage(text);
    });
    end = { ...end, lastEventId: end.lastEventId ?? lastEventId };
  }
  return end;
}

/**
 * Reads what the upstream says without being asked, for as long as the signal lets it. A server that has no such stream
 * (405), or no longer has the session (404), is not asked again.
 * @returns the status of an answer that is no stream
 */
export async function readAnnouncements(reading: StreamReading): Promise<number> {
  let lastEventId: string | undefined;
  for (let silent = 0; ; silent += 1) {
    const response = await reading.listen(lastEventId).catch(() => undefined);
    let retryMs: number | undefined;
    if (response !== undefined && (response.status !== 200 || !isEventStream(response))) {
      discard(response.body);
      if (response.status < 500) return response.status;
    } else if (response !== undefined) {
      const end = await readMessages(response, reading.maxLength, (text) => {
        silent = 0;
        return reading.onMessage(text);
      });
      ({ retryMs } = end);
      lastEventId = end.lastEventId ?? lastEventId;
    }
    await pause(retryMs ?? Math.min(firstPauseMs * 2 ** silent, longestPauseMs), undefined, { ref: false, signal: reading.signal });
  }
}
