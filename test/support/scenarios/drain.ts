import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { expect } from 'vitest';
import type { FaultyUpstream } from '../faulty-upstream.ts';
import { described, type LoadedPlanes } from '../loaded-planes.ts';

export interface DrainOptions {
  /** In flight when the signal comes; half of them are answered by a stream. */
  readonly requests: number;
  /** That only listen. */
  readonly streams: number;
  /** How long the upstreams take. */
  readonly slowMs: number;
}

export interface DrainReport {
  /** From the signal to the first probe that says so. */
  readonly unreadyMs: number;
  /** To the end of the process. */
  readonly drainedMs: number;
  /** What callers at that data plane met after the signal. */
  readonly refusedAfterwards: number;
}

/** Of servers whose calls last, by name: `lasting` says nothing until the end, `streaming` all the time. */
export type LastingUpstreams = Readonly<Record<'lasting' | 'streaming', FaultyUpstream>>;

/** Fault 15: SIGTERM, with requests in flight, streams open and steady load. */
export async function drain(planes: LoadedPlanes, upstreams: LastingUpstreams, { requests, streams, slowMs }: DrainOptions): Promise<DrainReport> {
  const [plane] = planes.dataPlanes;
  const since = Date.now();
  const { lasting, streaming } = upstreams;
  Object.assign(lasting, { behaviour: 'slow', slowMs });
  Object.assign(streaming, { behaviour: 'streaming', slowMs });
  const listening = await Promise.all(Array.from({ length: streams }, () => listen(`${plane.dataPlaneUrl}/mcp/default/orders`)));
  const arrivedBefore = lasting.calls + streaming.calls;
  const begun = Array.from({ length: requests }, (_, index) => planes.call(plane, index % 2 === 0 ? 'lasting' : 'streaming').catch(String));
  await expect.poll(() => lasting.calls + streaming.calls - arrivedBefore, { timeout: 20_000, interval: 5 }).toBe(requests);

  const exited = once(plane.child, 'exit') as Promise<[number | null]>;
  const signalledAt = Date.now();
  plane.child.kill('SIGTERM');
  const unreadyMs = (await untilUnready(plane.internalUrl)) - signalledAt;
  expect(await Promise.all(begun)).toEqual(begun.map(() => 'key-0'));
  // Ended as a stream is, and not broken off.
  expect(new Set(await Promise.all(listening.map(({ outcome }) => outcome)))).toEqual(new Set(['ended']));
  const [exitCode] = await exited;
  expect(exitCode, plane.output().slice(-2_000)).toBe(0);
  const drainedMs = Date.now() - signalledAt;
  lasting.behaviour = streaming.behaviour = 'well';

  const failed = planes.failures(since);
  expect(described(failed.filter(({ plane: index, beganAt }) => index !== 0 || beganAt < signalledAt), signalledAt)).toEqual([]);
  expect([lasting.repeated, streaming.repeated]).toEqual([[], []]);
  return { unreadyMs, drainedMs, refusedAfterwards: failed.length };
}

interface Listening {
  readonly outcome: Promise<'ended' | 'broken'>;
}

/** A stream that only listens, open. */
async function listen(url: string): Promise<Listening> {
  const outgoing = httpRequest(url, { headers: { accept: 'text/event-stream' } }).end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  const outcome = new Promise<'ended' | 'broken'>((resolve) => {
    answer.once('end', () => resolve('ended')).once('error', () => resolve('broken')).resume();
  });
  return { outcome };
}

/** By probes one after the other. @returns when the first one said so */
async function untilUnready(internalUrl: string): Promise<number> {
  for (;;) {
    const { status } = await fetch(`${internalUrl}/readyz`);
    if (status === 503) return Date.now();
  }
}
