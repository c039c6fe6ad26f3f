import { beforeEach, expect, it } from 'vitest';
import { Withdrawals } from './withdrawals.ts';

const start = 1_800_000_000_000;
let now: number;
let withdrawals: Withdrawals;

beforeEach(() => {
  now = start;
  withdrawals = new Withdrawals(() => now);
});

const asked = (...subjects: string[]) => ({ subjects, askedAt: withdrawals.moment() });

it('are of what was asked for before, and not of what is asked for afterwards, even at the same time', () => {
  const before = asked('connection', 'app');
  const another = asked('another', 'other app');
  withdrawals.add(new Set(['app', 'person']));
  expect([before, another, asked('connection', 'app')].map((grounds) => withdrawals.includes(grounds))).toEqual([true, false, false]);
});

it('go by their order, should the clock be put back', () => {
  const before = asked('connection');
  now -= 3_600_000;
  withdrawals.add(new Set(['connection']));
  expect([before, asked('connection')].map((grounds) => withdrawals.includes(grounds))).toEqual([true, false]);
});

it('are never of what cannot be named', () => {
  const client = asked();
  withdrawals.add(new Set(['connection']));
  withdrawals.missedBefore(0);
  expect(withdrawals.includes(client)).toBe(false);
});

it('may have been missed: then they are of all that is so old', () => {
  const old = asked('connection');
  now += 3_600_001;
  const recent = asked('connection');
  withdrawals.missedBefore(3_600_000);
  expect([old, recent].map((grounds) => withdrawals.includes(grounds))).toEqual([true, false]);
});
