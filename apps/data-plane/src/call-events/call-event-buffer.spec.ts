import { createLogger } from '@gatehouse/service-runtime';
import { type CallEventStream, createMemoryCallEventStream } from '@gatehouse/snapshot-channel';
import { Registry } from 'prom-client';
import { afterEach, expect, test, vi } from 'vitest';
import { CallEventBuffer } from './call-event-buffer.ts';

const logger = createLogger({ level: 'silent', role: 'spec', destination: { write: () => undefined } });
const buffers: CallEventBuffer[] = [];
afterEach(async () => {
  for (const buffer of buffers.splice(0)) await buffer.stop();
});

interface Flaky extends CallEventStream {
  isAway: boolean;
  readonly underWay: number;
  readonly mostUnderWay: number;
}
/** A stream that may be away, and shows how many appends were under way at once. */
function flakyStream(maxEvents?: number): Flaky {
  const stream = createMemoryCallEventStream(maxEvents);
  const flaky = {
    ...stream, isAway: false, underWay: 0, mostUnderWay: 0,
    append: async (batch: readonly string[]) => {
      flaky.underWay += 1;
      flaky.mostUnderWay = Math.max(flaky.mostUnderWay, flaky.underWay);
      await new Promise(setImmediate);
      flaky.underWay -= 1;
      if (flaky.isAway) throw new Error('away');
      return stream.append(batch);
    },
  };
  return flaky;
}
function bufferTo(stream: CallEventStream) {
  const registry = new Registry();
  const buffer = new CallEventBuffer({ stream, dataPlane: 'one "1"', registry, logger, flushMs: 5, eventsPerBatch: 3, maxBatches: 2 });
  buffers.push(buffer);
  let calls = 0;
  const add = (count: number): void => {
    for (let index = 0; index < count; index += 1) buffer.add(JSON.stringify({ call: (calls += 1) }), at, at.toISOString());
  };
  const counted = async (name: string): Promise<number | undefined> => {
    const line = (await registry.metrics()).split('\n').find((text) => text.startsWith(`gatehouse_call_events_${name} `));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  };
  return { buffer, add, counted };
}
const at = new Date('2026-11-21T20:00:00.000Z');
interface Event {
  readonly id: string;
  readonly call: number;
}
async function received(stream: CallEventStream): Promise<Event[]> {
  const events: Event[] = [];
  await stream.take('spec', 1_000, (batches) => Promise.resolve(void events.push(...batches.flatMap((text) => JSON.parse(text) as Event[]))));
  return events;
}
const calls = (events: readonly Event[]): number[] => events.map(({ call }) => call);

test('an event is what is said of the call, and where and when that was', async () => {
  const stream = createMemoryCallEventStream();
  const { buffer, add } = bufferTo(stream);
  add(1);
  await buffer.stop();
  expect(await received(stream)).toEqual([{ id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, at: '2026-11-21T20:00:00.000Z', dataPlane: 'one "1"', call: 1 }]);
});

test('events leave by themselves: a full batch at once, the others soon, one append at a time, each event once', async () => {
  const stream = flakyStream();
  const { add, counted } = bufferTo(stream);
  const events: Event[] = [];
  add(7);
  await vi.waitFor(async () => {
    events.push(...(await received(stream)));
    expect(events).toHaveLength(7);
  });
  expect(calls(events)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(new Set(events.map(({ id }) => id)).size).toBe(7);
  expect([stream.mostUnderWay, await counted('sent_total')]).toEqual([1, 7]);
});

test('while the stream is away the newest are kept, what is lost is counted, and the rest arrives when it is back', async () => {
  const stream = flakyStream();
  const { add, counted } = bufferTo(stream);
  stream.isAway = true;
  add(3);
  await vi.waitFor(() => expect(stream.mostUnderWay).toBe(1));
  add(11);
  await vi.waitFor(async () => expect(await counted('dropped_total{reason="buffer_full"}')).toBe(6));
  stream.isAway = false;
  const events: Event[] = [];
  await vi.waitFor(async () => {
    events.push(...(await received(stream)));
    expect(calls(events)).toEqual([7, 8, 9, 10, 11, 12, 13, 14]);
  });
  expect(stream.mostUnderWay).toBe(1);
});

test('what a full stream lost for others is counted', async () => {
  const stream = flakyStream(3);
  const { buffer, add, counted } = bufferTo(stream);
  add(6);
  await buffer.stop();
  expect([await counted('dropped_total{reason="stream_full"}'), await counted('sent_total')]).toEqual([3, 6]);
});

test('at the end all is sent that the stream takes, and the rest is counted', async () => {
  const stream = flakyStream();
  const { buffer, add, counted } = bufferTo(stream);
  stream.isAway = true;
  add(5);
  await buffer.stop();
  expect(await counted('dropped_total{reason="shutdown"}')).toBe(5);
});
