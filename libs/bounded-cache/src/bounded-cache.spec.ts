import { expect, it } from 'vitest';
import { BoundedCache, CacheBudget } from './bounded-cache.ts';

it('holds so many entries, the oldest goes first', () => {
  const cache = new BoundedCache<number>(2, new CacheBudget(100));
  cache.set('a', 1);
  cache.set('b', 2);
  cache.set('a', 3);
  cache.set('c', 4);
  expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([3, undefined, 4]);
});

it('caches that share a budget stay within it together, and idle ones give way', () => {
  const budget = new CacheBudget(1_000);
  const caches = Array.from({ length: 100 }, () => new BoundedCache<number>(50, budget));
  for (const cache of caches) for (let index = 0; index < 50; index += 1) cache.set(`key-${index}`, index);
  expect([budget.weight, caches[0]?.size, caches.at(-1)?.size]).toEqual([1_000, 0, 50]);
});

it('weighs', () => {
  const budget = new CacheBudget(10);
  const [first, second] = [new BoundedCache<number>(50, budget), new BoundedCache<number>(50, budget)];
  first.set('a', 1, 6);
  first.set('b', 2, 3);
  second.set('c', 3, 5);
  expect([first.get('a'), first.get('b'), second.get('c'), budget.weight]).toEqual([undefined, 2, 3, 8]);
  second.delete('c');
  expect(budget.weight).toBe(3);
  // One that is too heavy by itself is held alone: whoever sets it bounds its weight.
  second.set('d', 4, 20);
  expect([first.size, second.get('d')]).toEqual([0, 4]);
});
