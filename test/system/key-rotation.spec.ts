import { expect, it } from 'vitest';
import { rotateUnderLoad } from '../support/rotate-under-load.ts';

// The long form is test/faults/key-rotation.spec.ts.
it('P29 keys are rotated under load, and every control plane is killed in the middle: no request and no call fails, and it goes on (fault 20)', async () => {
  const report = await rotateUnderLoad({ rounds: 2, killIn: [1], values: 4_000 });
  expect(report.failures).toEqual([]);
  expect(report).toMatchObject({ states: ['destroyed', 'destroyed', 'active'], opened: 4_000 });
  for (const left of report.leftAtKill) expect(left).toBeGreaterThan(0);
  expect(Math.min(report.writes, report.reads, report.calls)).toBeGreaterThan(20);
}, 180_000);
