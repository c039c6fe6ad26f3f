import { expect, it } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { rotateUnderLoad } from '../support/rotate-under-load.ts';

it('P29 keys are rotated five times under load, and every control plane is killed in the middle of three of them (fault 20)', async () => {
  const report = await rotateUnderLoad({ rounds: 5, killIn: [1, 3, 4], values: 20_000 });
  expect(report.failures).toEqual([]);
  expect(report).toMatchObject({ states: ['destroyed', 'destroyed', 'destroyed', 'destroyed', 'destroyed', 'active'], opened: 20_000 });
  for (const left of report.leftAtKill) expect(left).toBeGreaterThan(0);
  const { writes, reads, calls, leftAtKill } = report;
  reportFault(20, 'five rotations, three kills', { writes, reads, calls, valuesLeftAtKill: leftAtKill.join(' and ') });
  expect(Math.min(report.writes, report.reads, report.calls)).toBeGreaterThan(200);
}, 600_000);
