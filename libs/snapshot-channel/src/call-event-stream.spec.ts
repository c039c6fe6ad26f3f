import { Secret } from '@gatehouse/sealing';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRedis, startRedis } from '../../../test/support/redis.ts';
import type { CallEventStream } from './call-event-stream.ts';
import { createMemoryCallEventStream } from './memory-call-event-stream.ts';
import { connectRedisCallEventStream } from './redis-call-event-stream.ts';
import { redisKeys } from './redis-keys.ts';

let redis: RunningRedis;
let admin: Redis;
const streams: CallEventStream[] = [];
beforeAll(async () => {
  redis = await startRedis();
  admin = new Redis(redis.url);
});
beforeEach(() => admin.flushall());
afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.close();
});
afterAll(async () => {
  admin?.disconnect();
  await redis?.stop();
});

const maxEvents = 4;
const overRedis = (claimAfterMs = 60_000): CallEventStream => {
  const stream = connectRedisCallEventStream({ url: new Secret(redis.url), maxEvents, claimAfterMs });
  streams.push(stream);
  return stream;
};
const batch = (...ids: number[]): string[] => ids.map((id) => JSON.stringify({ id }));
/** The ids that were stored by one take, batch by batch. */
async function taken(stream: CallEventStream, consumer = 'one', max = 10): Promise<number[][]> {
  const stored: number[][] = [];
  await stream.take(consumer, max, (batches) => {
    for (const text of batches) stored.push((JSON.parse(text) as { id: number }[]).map(({ id }) => id));
    return Promise.resolve();
  });
  return stored;
}
const away = (): Promise<never> => Promise.reject(new Error('the database is away'));

describe.each<[string, () => CallEventStream]>([['in process', () => createMemoryCallEventStream(maxEvents)], ['over Redis', overRedis]])('the stream of call events %s', (_name, open) => {
  it('hands over what was appended, the oldest first, once', async () => {
    const stream = open();
    expect(await taken(stream)).toEqual([]);
    for (const events of [batch(1, 2), batch(3)]) expect(await stream.append(events)).toBe(0);
    expect((await stream.waiting()).batches).toBe(2);
    expect(await taken(stream, 'one', 1)).toEqual([[1, 2]]);
    expect(await taken(stream)).toEqual([[3]]);
    expect(await taken(stream)).toEqual([]);
    expect(await stream.waiting()).toEqual({ batches: 0, oldestMs: 0 });
  });

  it('keeps what could not be stored, and hands it over again before anything else', async () => {
    const stream = open();
    await stream.append(batch(1));
    await expect(stream.take('one', 10, away)).rejects.toThrow('the database is away');
    await stream.append(batch(2));
    expect((await stream.waiting()).batches).toBe(2);
    expect(await taken(stream, 'one', 1)).toEqual([[1]]);
    expect(await taken(stream)).toEqual([[2]]);
  });

  it('is bounded: the oldest go, and it is said how many events that were', async () => {
    const stream = open();
    for (const events of [batch(1, 2), batch(3), batch(4)]) expect(await stream.append(events)).toBe(0);
    expect(await stream.append(batch(5, 6, 7))).toBe(3);
    expect(await stream.append(batch(8))).toBe(1);
    expect(await taken(stream)).toEqual([[5, 6, 7], [8]]);
    // What has left makes room.
    expect(await stream.append(batch(9, 10, 11, 12))).toBe(0);
    expect(await taken(stream)).toEqual([[9, 10, 11, 12]]);
  });

  it('loses nothing of what comes while something is stored, and goes on where that fell out of a full stream', async () => {
    const stream = open();
    await stream.append(batch(1));
    await stream.take('one', 10, async () => void (await stream.append(batch(2))));
    await expect(stream.take('one', 10, async () => {
      for (const id of [3, 4, 5, 6]) await stream.append(batch(id));
      return away();
    })).rejects.toThrow('the database is away');
    expect((await taken(stream)).flat().concat((await taken(stream)).flat())).toEqual([3, 4, 5, 6]);
  });
});

describe('the stream of call events over Redis', () => {
  it('gives what a dead control plane left behind to another one, and nothing twice to two that live', async () => {
    const [dead, patient, heir] = [overRedis(), overRedis(), overRedis(0)];
    await dead.append(batch(1));
    await expect(dead.take('dead', 10, away)).rejects.toThrow();
    expect(await taken(patient, 'patient')).toEqual([]);
    expect(await taken(heir, 'heir')).toEqual([[1]]);
    expect([await admin.xlen(redisKeys.callEvents), await admin.get(redisKeys.callEventCount)]).toEqual([0, '0']);
    expect((await admin.xpending(redisKeys.callEvents, 'control-planes'))[0]).toBe(0);
  });

  it('goes on after Redis was emptied', async () => {
    const stream = overRedis();
    await stream.append(batch(1));
    await taken(stream);
    await stream.append(batch(2, 3, 4, 5));
    await admin.flushall();
    expect(await taken(stream)).toEqual([]);
    expect(await stream.append(batch(6))).toBe(0);
    expect(await taken(stream)).toEqual([[6]]);
    // Whatever was lost on its own: nobody waits for what is not there.
    await admin.set(redisKeys.callEventCount, 1_000);
    expect(await stream.append(batch(7))).toBe(0);
  });

  it('leaves no consumer behind, unless that has something', async () => {
    const [tidy, owing] = [overRedis(), overRedis()];
    await tidy.append(batch(1));
    await taken(tidy, 'tidy');
    await tidy.append(batch(2));
    await expect(owing.take('owing', 10, away)).rejects.toThrow();
    for (const stream of [tidy, owing]) await stream.close();
    expect((await admin.xinfo('CONSUMERS', redisKeys.callEvents, 'control-planes') as unknown[][]).map(([, name]) => name)).toEqual(['owing']);
  });

  it('says how long the oldest has waited', async () => {
    const stream = overRedis();
    const [seconds] = await admin.time();
    await admin.xadd(redisKeys.callEvents, `${(Number(seconds) - 100) * 1000}-0`, 'count', '1', 'events', '[]');
    expect((await stream.waiting()).oldestMs).toBeGreaterThanOrEqual(100_000);
  });

  it('is bounded in time when Redis is gone', async () => {
    const gone = await startRedis();
    const stream = connectRedisCallEventStream({ url: new Secret(gone.url) });
    streams.push(stream);
    await stream.waiting();
    await gone.stop();
    await expect(stream.append(batch(1))).rejects.toThrow();
  });
});
