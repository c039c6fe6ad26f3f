import { expect, test } from 'vitest';
import { Remembered } from './remembered.ts';

test('is read once for all who ask within its time, and again after it; what fails is absent until then', async () => {
  let now = 0;
  let reads = 0;
  const remembered = new Remembered(() => ((reads += 1), reads === 2 ? Promise.reject(new Error('away')) : Promise.resolve(reads)), 30_000, () => now);
  expect(await Promise.all([remembered.value(), remembered.value()])).toEqual([1, 1]);
  now = 29_999;
  expect(await remembered.value()).toBe(1);
  now = 30_000;
  expect([await remembered.value(), await remembered.value()]).toEqual([undefined, undefined]);
  now = 60_000;
  expect([await remembered.value(), reads]).toEqual([3, 3]);
});

test('the last one stays while the next one takes longer than a scrape waits; nobody reads twice at once', async () => {
  let now = 0;
  const reads: PromiseWithResolvers<number>[] = [];
  const remembered = new Remembered(() => {
    const read = Promise.withResolvers<number>();
    reads.push(read);
    return read.promise;
  }, 30_000, () => now);
  const first = remembered.value();
  reads[0]?.resolve(1);
  expect(await first).toBe(1);
  now = 30_000;
  expect(await Promise.all([remembered.value(), remembered.value()])).toEqual([1, 1]);
  now = 60_000;
  const next = remembered.value();
  reads[1]?.resolve(2);
  expect([await next, reads.length]).toEqual([2, 2]);
});
