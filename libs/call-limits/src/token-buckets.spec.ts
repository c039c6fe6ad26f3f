import { describe, expect, it } from 'vitest';
import { type BucketRate, TokenBuckets } from './token-buckets.ts';

const rateOf = (calls: number, seconds: number, burst = calls): BucketRate => ({ intervalMs: (seconds * 1_000) / calls, burst });

function setup(maxBuckets?: number) {
  let now = 5_000;
  const buckets = new TokenBuckets(() => now, maxBuckets);
  return {
    buckets,
    pass: (ms: number) => void (now += ms),
    take: (key: string, rate: BucketRate, tokens = 1): boolean => {
      const isThere = buckets.waitMs(key, rate, tokens) === 0;
      if (isThere) buckets.take(key, rate, tokens);
      return isThere;
    },
  };
}

describe('a token bucket', () => {
  it('holds its burst, and fills by one token in each interval', () => {
    const { take, pass, buckets } = setup();
    const rate = rateOf(60, 60, 3);
    expect([1, 2, 3, 4].map(() => take('a', rate))).toEqual([true, true, true, false]);
    expect(buckets.waitMs('a', rate, 1)).toBe(1_000);
    pass(999);
    expect(take('a', rate)).toBe(false);
    pass(1);
    expect([take('a', rate), take('a', rate)]).toEqual([true, false]);
    pass(60_000);
    expect([1, 2, 3, 4].map(() => take('a', rate))).toEqual([true, true, true, false]);
  });

  it.each([
    [3, 1],
    [7, 60],
    [1_000_000, 1],
    [999_983, 86_400],
    [1, 86_400],
  ])('%d calls in %d seconds: exactly as many at once, in spite of rounding, and as many again after that time', (calls, seconds) => {
    const { take, pass } = setup();
    const rate = rateOf(calls, seconds, Math.min(calls, 2_000));
    for (const round of [1, 2]) {
      let taken = 0;
      while (take('a', rate)) taken += 1;
      expect(taken, `round ${round}`).toBe(Math.min(calls, 2_000));
      pass(seconds * 1_000);
    }
  });

  it('several are there together or not at all, and never more than it holds', () => {
    const { take, buckets, pass } = setup();
    const rate = rateOf(10, 10);
    expect([take('a', rate, 8), take('a', rate, 3), take('a', rate, 2)]).toEqual([true, false, true]);
    expect(buckets.waitMs('a', rate, 4)).toBe(4_000);
    pass(1_000_000);
    expect([take('a', rate, 11), buckets.waitMs('a', rate, 11)]).toEqual([false, Infinity]);
    expect(buckets.there('a', rate)).toBe(10);
  });

  it('each key has its own', () => {
    const { take } = setup();
    expect(['a', 'a', 'b', 'b'].map((key) => take(key, rateOf(1, 60)))).toEqual([true, false, true, false]);
  });
});

describe('the memory of buckets', () => {
  it('those that are full again go, as others come', () => {
    const { take, pass, buckets } = setup();
    for (let caller = 0; caller < 1_000; caller += 1) take(`early ${caller}`, rateOf(10, 1));
    pass(1_000);
    for (let caller = 0; caller < 1_000; caller += 1) take(`late ${caller}`, rateOf(10, 1));
    expect(buckets.size).toBeLessThanOrEqual(1_001);
  });

  it('is bounded: however many names callers make up, those that have much to wait for stay', () => {
    const { take, buckets } = setup(100);
    const rate = rateOf(10, 60);
    while (take('greedy', rate));
    for (let caller = 0; caller < 10_000; caller += 1) take(`made up ${caller}`, rate);
    expect(buckets.size).toBe(100);
    expect(take('greedy', rate)).toBe(false);
  });

  it('whoever makes up callers makes only their own server forget, however long those would have to wait', () => {
    const { take, buckets, pass } = setup(100);
    const ordinary = rateOf(60, 60);
    for (const caller of ['ana', 'ben', 'eva']) while (take(`mine\0${caller}`, ordinary));
    for (let caller = 0; caller < 10_000; caller += 1) take(`theirs\0${caller}`, rateOf(1, 86_400));
    expect(['ana', 'ben', 'eva'].map((caller) => take(`mine\0${caller}`, ordinary))).toEqual([false, false, false]);
    // One that is new has room as well.
    while (take('mine too\0ana', ordinary));
    for (let caller = 10_000; caller < 20_000; caller += 1) take(`theirs\0${caller}`, rateOf(1, 86_400));
    expect([take('mine too\0ana', ordinary), buckets.size]).toEqual([false, 100]);
    pass(86_400_000);
    for (let caller = 0; caller < 200; caller += 1) take(`late\0${caller}`, rateOf(1, 1));
    expect(buckets.size).toBeLessThanOrEqual(100);
  });

  it('of many servers none is made to forget by those that have more', () => {
    const { take } = setup(1_000);
    for (let server = 0; server < 50; server += 1) while (take(`small ${server}\0ana`, rateOf(3, 3_600)));
    for (let caller = 0; caller < 5_000; caller += 1) for (const server of ['a', 'b', 'c']) take(`${server}\0${caller}`, rateOf(1, 86_400));
    expect(Array.from({ length: 50 }, (_, server) => take(`small ${server}\0ana`, rateOf(3, 3_600))).filter(Boolean)).toEqual([]);
  });
});
