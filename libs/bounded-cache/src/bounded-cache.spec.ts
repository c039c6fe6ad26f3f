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

it('does what lists would do that are searched from the front, whatever is set and deleted in whatever order', () => {
  const [maxSize, maxWeight] = [5, 12];
  const budget = new CacheBudget(maxWeight);
  const caches = [new BoundedCache<number>(maxSize, budget), new BoundedCache<number>(maxSize, budget)] as const;
  let model: { cache: number; key: string; value: number; weight: number }[] = [];
  const weightOf = (): number => model.reduce((sum, { weight }) => sum + weight, 0);
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let step = 0; step < 5_000; step += 1) {
    const [cache, key, weight, what] = [random(2), `key-${random(12)}`, 1 + random(4), random(10)];
    const without = model.filter((entry) => entry.cache !== cache || entry.key !== key);
    if (what === 0) {
      caches[cache]?.delete(key);
      model = without;
    } else if (what === 1) {
      caches[cache]?.deleteWhere((value) => value % 3 === 0);
      model = model.filter((entry) => entry.cache !== cache || entry.value % 3 !== 0);
    } else {
      caches[cache]?.set(key, step, weight);
      const own = without.filter((entry) => entry.cache === cache);
      model = own.length < maxSize ? without : without.filter((entry) => entry !== own[0]);
      model.push({ cache, key, value: step, weight });
      while (weightOf() > maxWeight && model.length > 1) model.shift();
    }
    const held = caches.flatMap((one, index) => Array.from({ length: 12 }, (_, at) => `key-${at}`).flatMap((name) => (one.get(name) === undefined ? [] : [`${index} ${name} ${one.get(name)}`])));
    expect([held.toSorted(), caches.map(({ size }) => size), budget.weight]).toEqual([model.map((entry) => `${entry.cache} ${entry.key} ${entry.value}`).toSorted(), [0, 1].map((index) => model.filter((entry) => entry.cache === index).length), weightOf()]);
  }
});
