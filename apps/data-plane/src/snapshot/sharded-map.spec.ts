import { expect, it } from 'vitest';
import { ShardedMap } from './sharded-map.ts';

it('behaves as a map that is copied with every change', () => {
  const reference = new Map<string, number>();
  let map = ShardedMap.empty<number>();
  const older: [ShardedMap<number>, Map<string, number>][] = [];
  for (let round = 0; round < 200; round += 1) {
    const changes = Array.from({ length: 20 }, (_, index) => [`key-${(round * 7 + index * 13) % 500}`, (round + index) % 3 === 0 ? undefined : round] as const);
    for (const [key, value] of changes) {
      if (value === undefined) reference.delete(key);
      else reference.set(key, value);
    }
    map = map.with(changes);
    if (round % 50 === 0) older.push([map, new Map(reference)]);
  }
  for (const [copy, expected] of [...older, [map, reference] as const]) {
    expect(new Map(copy.entries())).toEqual(expected);
    expect(copy.size).toBe(expected.size);
    for (const [key, value] of expected) expect(copy.get(key)).toBe(value);
  }
  expect(map.get('absent')).toBeUndefined();
});
