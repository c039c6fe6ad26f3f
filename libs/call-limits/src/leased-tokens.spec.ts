import { describe, expect, it } from 'vitest';
import { LeasedTokens } from './leased-tokens.ts';
import { createMemorySharedBuckets } from './memory-shared-buckets.ts';
import type { SharedBuckets, TakenTokens } from './shared-buckets.ts';
import { randomOf } from './spec-support/random-of.ts';
import { type BucketRate, TokenBuckets } from './token-buckets.ts';

const perSecond = (calls: number, burst = calls): BucketRate => ({ intervalMs: 1_000 / calls, burst });

function setup({ planes = 1, maxLeases }: { planes?: number; maxLeases?: number } = {}) {
  let now = 5_000;
  let isDown = false;
  const clock = (): number => now;
  const shared = createMemorySharedBuckets(clock);
  const asked: number[] = [];
  const changes: boolean[] = [];
  let alone = 0;
  const buckets: SharedBuckets = {
    ...shared,
    take: (key, rate, wanted, atLeast) => {
      asked.push(wanted);
      return isDown || key.startsWith('lost') ? Promise.reject(new Error('away')) : shared.take(key, rate, wanted, atLeast);
    },
  };
  const fleet = Array.from({ length: planes }, () => new LeasedTokens({
    buckets, alone: new TokenBuckets(clock), now: clock, onChange: (isAway) => void changes.push(isAway), onAlone: () => void (alone += 1), ...(maxLeases !== undefined && { maxLeases }),
  }));
  return {
    first: fleet[0] as LeasedTokens,
    fleet,
    asked,
    changes,
    aloneCount: () => alone,
    pass: (ms: number) => void (now += ms),
    down: (value: boolean) => void (isDown = value),
  };
}

const waits = (leases: LeasedTokens, rate: BucketRate, count: number, key = 'k', tokens = 1): Promise<number[]> => Promise.all(Array.from({ length: count }, async () => leases.take(key, rate, tokens)));
const passed = (all: readonly number[]): number => all.filter((wait) => wait === 0).length;

describe('tokens of shared buckets', () => {
  it('calls that come together are asked for once, and are let in as far as there is enough', async () => {
    const { first, asked } = setup();
    const all = await waits(first, perSecond(10), 15);
    expect(passed(all)).toBe(10);
    // The very first is on its way before the others come.
    expect(asked).toEqual([1, 14]);
    expect(all.slice(10)).toEqual([100, 100, 100, 100, 100]);
  });

  it('at a high rate one question is for many calls; a single call costs one token', async () => {
    const { first, asked, pass } = setup();
    const rate = perSecond(1_000);
    let taken = 0;
    for (let ms = 0; ms < 1_000; ms += 2) {
      pass(2);
      if ((await first.take('k', rate, 1)) === 0) taken += 1;
    }
    expect(taken).toBe(500);
    expect(asked.length).toBeLessThan(30);
    expect(Math.max(...asked)).toBeLessThanOrEqual(100);
    pass(10_000);
    asked.length = 0;
    await first.take('k', rate, 1);
    expect(asked).toEqual([1]);
  });

  it('a bucket that is empty is not asked again before it has something', async () => {
    const { first, asked, pass } = setup();
    const rate = perSecond(1, 1);
    expect(passed(await waits(first, rate, 3))).toBe(1);
    const before = asked.length;
    for (let call = 0; call < 100; call += 1) expect(first.take('k', rate, 1)).toBe(1_000);
    expect(asked).toHaveLength(before);
    pass(1_000);
    expect(await first.take('k', rate, 1)).toBe(0);
  });

  it('several tokens together: those that fit are taken, and those that never will are not asked for', async () => {
    const { first, asked } = setup();
    const rate = perSecond(10);
    expect(await first.take('k', rate, 8)).toBe(0);
    expect(await first.take('k', rate, 3)).toBe(100);
    expect(await first.take('k', rate, 2)).toBe(0);
    asked.length = 0;
    expect([first.take('other', rate, 11), first.waitMs('other', rate, 11)]).toEqual([Infinity, Infinity]);
    expect(asked).toEqual([]);
  });

  it('several that are refused have taken nothing from other data planes, however often they come', async () => {
    const { fleet, pass, asked } = setup({ planes: 2 });
    const [one, other] = fleet as [LeasedTokens, LeasedTokens];
    const rate: BucketRate = { intervalMs: 1_000, burst: 60 };
    expect(await other.take('k', rate, 60)).toBe(0);
    let through = 0;
    for (let round = 0; round < 600; round += 1) {
      pass(100);
      expect(await one.take('k', rate, 60)).toBeGreaterThan(0);
      if (round % 5 === 4 && (await other.take('k', rate, 1)) === 0) through += 1;
    }
    expect(through).toBe(60);
    // Nor is there a question as long as they cannot be there.
    expect(asked.length).toBeLessThan(150);
  });

  it('single calls that come with several that do not fit have what is there', async () => {
    const { first } = setup();
    const rate: BucketRate = { intervalMs: 60_000, burst: 60 };
    await first.take('k', rate, 50);
    const all = await Promise.all([20, 1, 1, 30, 1, 7].map(async (tokens) => (await first.take('k', rate, tokens)) === 0));
    expect(all).toEqual([false, true, true, false, true, true]);
  });

  it('says what it knows without a question, and takes nothing', async () => {
    const { first, asked } = setup();
    const rate: BucketRate = { intervalMs: 1_000, burst: 2 };
    expect(first.waitMs('k', rate, 2)).toBe(0);
    await first.take('k', rate, 1);
    expect([first.waitMs('k', rate, 1), first.waitMs('k', rate, 2), asked.length]).toEqual([0, 1_000, 1]);
  });

  it('what was given back is there for the next call', async () => {
    const { first, asked } = setup();
    await first.take('k', perSecond(1, 1), 1);
    first.giveBack('k', 1);
    expect(first.take('k', perSecond(1, 1), 1)).toBe(0);
    expect(asked).toHaveLength(1);
    // Not what it never had.
    first.giveBack('k', 5);
    expect(await first.take('k', perSecond(1, 1), 1)).toBeGreaterThan(0);
  });

  it.each([1, 2, 3, 4, 5])('any calls of any data planes: never more than the limit and what each holds (seed %i)', async (seed) => {
    const random = randomOf(seed);
    const planes = 1 + Math.floor(random() * 4);
    const calls = 1 + Math.floor(random() * 2_000);
    const burst = 1 + Math.floor(random() * calls);
    const rate = perSecond(calls, burst);
    const { fleet, pass } = setup({ planes });
    const at: number[] = [];
    let now = 0;
    for (let round = 0; round < 300; round += 1) {
      const ms = random() < 0.05 ? random() * 3_000 : random() * 20;
      pass(ms);
      now += ms;
      const all = await Promise.all(fleet.map((plane) => waits(plane, rate, Math.floor(random() * (random() < 0.1 ? 200 : 10)))));
      for (const wait of all.flat()) if (wait === 0) at.push(now);
    }
    const held = planes * Math.max(1, Math.min(burst * 0.1, 100 / rate.intervalMs));
    for (const [index, from] of at.entries()) {
      for (const to of [at.length - 1, Math.min(at.length - 1, index + burst), Math.min(at.length - 1, index + 2 * burst)]) {
        const count = to - index + 1;
        expect(count).toBeLessThanOrEqual(burst + ((at[to] as number) - from) / rate.intervalMs + held + 0.01);
      }
    }
    // And they are of use: somebody was let in.
    expect(at.length).toBeGreaterThanOrEqual(Math.min(burst, 10));
  });
});

describe('while the buckets are away', () => {
  it('each data plane counts alone, asks again after a second, and says when they went and came back', async () => {
    const { first, asked, down, pass, changes, aloneCount } = setup();
    const rate = perSecond(2, 2);
    down(true);
    expect(passed(await waits(first, rate, 5))).toBe(2);
    expect([asked, changes, aloneCount()]).toEqual([[1], [true], 5]);
    expect(first.take('k', rate, 1)).toBe(500);
    pass(999);
    expect([first.take('k', rate, 1), asked.length]).toEqual([0, 1]);
    pass(1);
    expect(await first.take('k', rate, 1)).toBeGreaterThanOrEqual(0);
    expect([asked.length, changes]).toEqual([2, [true]]);
    down(false);
    pass(4_999);
    expect(await first.take('k', rate, 1)).toBe(0);
    expect(changes).toEqual([true]);
    pass(1_000);
    expect(await first.take('k', rate, 1)).toBe(0);
    expect(changes).toEqual([true, false]);
  });

  it('a part of them: only what is there is counted alone, each a second after its failure is asked for again, and that is said once', async () => {
    const { first, asked, changes, pass } = setup();
    const rate = perSecond(1_000);
    for (let round = 0; round < 200; round += 1) {
      await Promise.all([first.take('lost', rate, 1), first.take('lost too', rate, 1), first.take(`there ${round}`, rate, 1)]);
      pass(10);
    }
    // Two seconds: each of the lost twice, and of the others each.
    expect([asked.length, changes]).toEqual([204, [true]]);
  });

  it('all of them: after some failures none is asked, but for one of them each second', async () => {
    const { first, asked, down, pass, changes } = setup();
    down(true);
    for (let caller = 0; caller < 100; caller += 1) expect(await first.take(`caller ${caller}`, perSecond(1), 1)).toBe(0);
    expect([asked.length, changes]).toEqual([8, [true]]);
    pass(1_000);
    for (let caller = 100; caller < 200; caller += 1) await first.take(`caller ${caller}`, perSecond(1), 1);
    expect(asked).toHaveLength(9);
    down(false);
    pass(1_000);
    for (let caller = 200; caller < 210; caller += 1) await first.take(`caller ${caller}`, perSecond(1), 1);
    expect(asked).toHaveLength(19);
  });

  it('no call fails, however the answer is lost', async () => {
    const answers: ((taken: TakenTokens) => void)[] = [];
    const leases = new LeasedTokens({
      buckets: { take: () => new Promise((resolve, reject) => void (answers.length === 0 ? answers.push(resolve) : reject(new Error('reset')))), close: () => Promise.resolve() },
      alone: new TokenBuckets(() => 0), now: () => 0, onChange: () => undefined, onAlone: () => undefined,
    });
    const all = [leases.take('k', perSecond(10), 1), leases.take('k', perSecond(10), 1)];
    answers[0]?.({ granted: 1, nextMs: 0 });
    expect(await Promise.all(all.map(async (wait) => wait))).toEqual([0, 0]);
  });
});

it('what is remembered of buckets is bounded, and goes when it is over', async () => {
  const { first, pass } = setup({ maxLeases: 50 });
  for (let caller = 0; caller < 500; caller += 1) await first.take(`caller ${caller}`, perSecond(10), 1);
  expect(first.size).toBeLessThanOrEqual(58);
  pass(10_000);
  for (let caller = 0; caller < 100; caller += 1) await first.take(`late ${caller}`, perSecond(10), 1);
  expect(first.size).toBeLessThanOrEqual(58);
});
