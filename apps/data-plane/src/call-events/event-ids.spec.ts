import { expect, test } from 'vitest';
import { EventIds } from './event-ids.ts';

test('ids are UUIDv7, in the order in which they were made, and no two are the same', () => {
  const ids = new EventIds();
  const others = new EventIds();
  const made = [1, 1, 1, 1_763_712_000_000, 1_763_712_000_000, 1_763_712_000_001].map((ms) => ids.next(ms));
  expect(made.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true);
  expect(made.toSorted()).toEqual(made);
  expect(made[3]?.replaceAll('-', '').slice(0, 12)).toBe((1_763_712_000_000).toString(16).padStart(12, '0'));
  expect(new Set([...made, others.next(1), others.next(1)]).size).toBe(8);
});
