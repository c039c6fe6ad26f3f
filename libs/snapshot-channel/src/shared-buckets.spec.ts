import { type BucketRate, createMemorySharedBuckets, type SharedBuckets } from '@gatehouse/call-limits';
import { Secret } from '@gatehouse/sealing';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunningRedis, startRedis } from '../../../test/support/redis.ts';
import { connectRedisSharedBuckets } from './redis-shared-buckets.ts';

let redis: RunningRedis;
let admin: Redis;
const opened: SharedBuckets[] = [];
beforeAll(async () => {
  redis = await startRedis();
  admin = new Redis(redis.url);
});
beforeEach(() => admin.flushall());
afterEach(async () => {
  for (const buckets of opened.splice(0)) await buckets.close();
});
afterAll(async () => {
  admin?.disconnect();
  await redis?.stop();
});

/** Also a busy machine answers in time. */
const overRedis = (url = redis.url, timeoutMs = 20_000): SharedBuckets => {
  const buckets = connectRedisSharedBuckets({ url: new Secret(url), timeoutMs });
  opened.push(buckets);
  return buckets;
};

/** Of which no more comes while a test runs. */
const hourly = (burst: number): BucketRate => ({ intervalMs: 3_600_000, burst });

describe.each<[string, () => SharedBuckets]>([
  ['in process', () => createMemorySharedBuckets(() => performance.now())],
  ['over Redis', () => overRedis()],
])('shared buckets %s', (_, open) => {
  it('give what is there, up to what is wanted, and say when there is more', async () => {
    const buckets = open();
    const some = await buckets.take('k', hourly(10), 4);
    expect(some.granted).toBe(4);
    // Six are there: the first of them since five intervals.
    expect(some.nextMs / 3_600_000).toBeCloseTo(-5, 3);
    const rest = await buckets.take('k', hourly(10), 10);
    expect(rest.granted).toBe(6);
    expect(rest.nextMs).toBeGreaterThan(3_000_000);
    expect(rest.nextMs).toBeLessThanOrEqual(3_600_001);
    expect((await buckets.take('k', hourly(10), 1)).granted).toBe(0);
    expect((await buckets.take('other', hourly(10), 1)).granted).toBe(1);
  });

  it('give none where fewer are there than somebody could use', async () => {
    const buckets = open();
    expect((await buckets.take('k', hourly(10), 7, 7)).granted).toBe(7);
    const refused = await buckets.take('k', hourly(10), 7, 4);
    expect(refused.granted).toBe(0);
    expect(refused.nextMs / 3_600_000).toBeCloseTo(-2, 3);
    expect((await buckets.take('k', hourly(10), 7, 3)).granted).toBe(3);
  });

  it('fill again, and not beyond what they hold', async () => {
    const buckets = open();
    const rate: BucketRate = { intervalMs: 1, burst: 5 };
    expect((await buckets.take('k', rate, 100)).granted).toBeGreaterThanOrEqual(5);
    await vi.waitFor(async () => expect((await buckets.take('k', rate, 100)).granted).toBe(5), { timeout: 20_000 });
  });

  it('those of large numbers are exact', async () => {
    const buckets = open();
    const rate: BucketRate = { intervalMs: 86_400_000 / 999_983, burst: 1_000_000 };
    const { granted } = await buckets.take('k', rate, 2_000_000);
    expect(granted).toBe(1_000_000);
    expect((await buckets.take('k', rate, 1_000_000)).granted).toBeLessThan(1_000);
  });
});

describe('shared buckets in Redis', () => {
  it('are the same for all, however many take at the same time', async () => {
    const all = [overRedis(), overRedis(), overRedis()];
    const taken = await Promise.all(Array.from({ length: 300 }, (_, index) => (all[index % 3] as SharedBuckets).take('k', hourly(100), 1 + (index % 3))));
    expect(taken.reduce((sum, { granted }) => sum + granted, 0)).toBe(100);
  });

  it('say nothing of who calls what, and go when they are full again', async () => {
    await overRedis().take('default/server\0person:ana@example.com\0delete_order', hourly(10), 1);
    const [key = '', ...others] = await admin.keys('*');
    expect([others, key]).toEqual([[], expect.stringMatching(/^gatehouse:limits:\{[\w-]{43}\}$/)]);
    expect(await admin.pttl(key)).toBeGreaterThan(3_000_000);
    expect(await admin.pttl(key)).toBeLessThanOrEqual(3_600_001);
  });

  it('of a clock that was ahead nobody waits longer than for one that is empty', async () => {
    const buckets = overRedis();
    await buckets.take('k', hourly(3), 3);
    const [key = ''] = await admin.keys('*');
    await admin.set(key, String(Date.now() + 1_000 * 3_600_000));
    expect((await buckets.take('k', hourly(3), 1)).nextMs).toBeLessThanOrEqual(3_600_001);
  });

  it('connect when they are first asked', async () => {
    const before = (await admin.client('LIST') as string).split('\n').length;
    const buckets = overRedis();
    expect((await admin.client('LIST') as string).split('\n').length).toBe(before);
    await buckets.take('k', hourly(3), 1);
    expect((await admin.client('LIST') as string).split('\n').length).toBe(before + 1);
  });

  it('that do not answer are given up, whether Redis hangs or is gone, and are back when it is', async () => {
    const own = await startRedis();
    const buckets = overRedis(own.url);
    const impatient = overRedis(own.url, 50);
    let successor: RunningRedis | undefined;
    try {
      expect((await buckets.take('k', hourly(3), 1)).granted).toBe(1);
      const other = new Redis(own.url);
      await other.call('CLIENT', 'PAUSE', '600000', 'ALL');
      await expect(impatient.take('k', hourly(3), 1)).rejects.toThrow('did not answer');
      other.disconnect();
      await own.kill9();
      await expect(buckets.take('k', hourly(3), 1)).rejects.toThrow();
      successor = await startRedis({ port: own.port });
      await vi.waitFor(async () => expect((await buckets.take('k', hourly(3), 1)).granted).toBe(1), { timeout: 30_000, interval: 100 });
    } finally {
      await successor?.stop();
    }
  });
});
