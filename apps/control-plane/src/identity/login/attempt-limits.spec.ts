import { expect, test } from 'vitest';
import { AttemptLimits } from './attempt-limits.ts';
import { countedAddress } from './client-address.ts';

test('so many in a window, and again in the next', () => {
  let now = 0;
  const limits = new AttemptLimits({ count: 2, windowMs: 1_000 }, () => now);
  expect([limits.count('a'), limits.isExhausted('a'), limits.count('a'), limits.isExhausted('a'), limits.count('a')]).toEqual([false, false, false, true, true]);
  expect(limits.isExhausted('b')).toBe(false);
  now = 999;
  expect(limits.isExhausted('a')).toBe(true);
  now = 1_000;
  expect([limits.isExhausted('a'), limits.count('a')]).toEqual([false, false]);
  limits.count('a');
  limits.forget('a');
  expect(limits.isExhausted('a')).toBe(false);
});

test('what is taken back was never counted, nor was more than that', () => {
  const limits = new AttemptLimits({ count: 1, windowMs: 1_000 }, () => 0);
  limits.takeBack('a');
  expect([limits.count('a'), limits.isExhausted('a')]).toEqual([false, true]);
  limits.takeBack('a');
  limits.takeBack('a');
  expect([limits.count('a'), limits.isExhausted('a')]).toEqual([false, true]);
});

test('memory is bounded: the oldest is forgotten', () => {
  const limits = new AttemptLimits({ count: 1, windowMs: 1_000 }, () => 0);
  for (let key = 0; key < 20_001; key += 1) limits.count(`key-${key}`);
  expect([limits.size, limits.isExhausted('key-0'), limits.isExhausted('key-1'), limits.isExhausted('key-20000')]).toEqual([20_000, false, true, true]);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['not an address', 'not an address'],
])('%s is counted as %s', (address, counted) => {
  expect(countedAddress(address)).toBe(counted);
});
