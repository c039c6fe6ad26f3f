import { describe, expect, it } from 'vitest';
import { ReconnectPauses } from './reconnect-pauses.ts';

const pausesOf = (askedMs: number | undefined, lasted: readonly number[], random = 0): number[] => {
  const pauses = new ReconnectPauses(() => random);
  return lasted.map((lastedMs) => pauses.next(lastedMs, askedMs));
};
const short = [0, 0, 0, 0, 0, 0, 0];

describe('the pause before a stream is asked for again', () => {
  it.each([
    ['of itself', undefined, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
    ['at `retry: 0`', 0, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
    ['at a longer `retry`', 3_000, [3_000, 6_000, 12_000, 24_000, 30_000, 30_000, 30_000]],
    ['at a `retry` that is longer than any pause', 60_000, short.map(() => 60_000)],
    ['at a `retry` of days', 999_999_999, short.map(() => 300_000)],
  ])('grows %s', (_, askedMs, expected) => expect(pausesOf(askedMs, short)).toEqual(expected));

  it('is short again after a connection that has lasted', () => {
    expect(pausesOf(0, [0, 0, 4_999, 5_000, 0])).toEqual([1_000, 2_000, 4_000, 1_000, 2_000]);
  });

  it('is not the same for all', () => expect(pausesOf(0, [0, 0], 0.8)).toEqual([1_200, 2_400]));
});
