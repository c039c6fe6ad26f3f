import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { faultRows, faultsPage, measuredRows, withMeasured } from '../support/faults-page.ts';

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const others = ['disconnect', 'redis-failover', 'rolling-restarts', 'rolling-upgrade'];
let page: string;
beforeAll(async () => {
  page = await readFile(faultsPage, 'utf8');
});

it('every fault has a spec that is there', () => {
  const rows = faultRows(page);
  expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 22 }, (_, index) => index + 1));
  for (const { row, specs } of rows) expect([row, specs.length > 0, specs.filter((spec) => !existsSync(root(spec)))]).toEqual([row, true, []]);
});

it('every spec of npm run faults is one of a fault, or of what has a page of its own', () => {
  const named = new Set(faultRows(page).flatMap(({ specs }) => specs));
  const there = readdirSync(root('test/faults')).filter((file) => file.endsWith('.spec.ts') && !others.includes(file.replace('.spec.ts', '')));
  expect(there.filter((file) => !named.has(`test/faults/${file}`))).toEqual([]);
});

it('what was measured is of a fault, and is written as it is read', () => {
  const measured = measuredRows(page);
  const rows = new Set(faultRows(page).map(({ row }) => row));
  expect(measured.filter(({ row }) => !rows.has(row))).toEqual([]);
  const one = { row: 6, what: 'a message', measured: 'convergedMs 5', result: 'passed', date: '2026-11-22' };
  const written = withMeasured(page, [...measured, one], 'two cores');
  expect(measuredRows(written)).toEqual([...measured, one]);
  expect(faultRows(written)).toEqual(faultRows(page));
});
