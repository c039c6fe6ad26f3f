import { expect, it } from 'vitest';
import { RestartPauses } from './restart-pauses.ts';

it('a worker that dies again and again is started a few times in a minute, and one that had lived at once', () => {
  const pauses = new RestartPauses();
  expect(Array.from({ length: 9 }, () => pauses.next(100))).toEqual([0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect([pauses.next(3_600_000), pauses.next(100)]).toEqual([0, 500]);
});
