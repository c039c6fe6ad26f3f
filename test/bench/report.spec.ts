import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readOptions } from '../../bench/src/options.ts';
import { drawReport } from '../../bench/src/report/draw-report.ts';
import { renderReport } from '../../bench/src/report/render-report.ts';
import { type Report, reportParts } from '../../bench/src/report/report.ts';
import { type CommandResult, runCommand } from '../support/run-command.ts';

/* `npm run bench -- --report`, in its smallest form: that everything is there, never how much of it. */

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let folder: string;
let run: CommandResult;
let report: Report;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-report-'));
  run = await runCommand(process.execPath, [fromRoot('bench/src/main.ts'), '--report', folder, '--smallest', `--gateway=${fromRoot('apps/gatehouse/bin/gatehouse.js')}`]);
  report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as Report;
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Every number in it. */
const numbersIn = (value: unknown): number[] => (typeof value === 'number' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : []);

it('all parts are measured', () => {
  expect([run.exitCode, report.failures], run.stderr).toEqual([0, []]);
  for (const part of reportParts) {
    const numbers = numbersIn(report[part]);
    expect(numbers.length, part).toBeGreaterThan(5);
    expect(numbers.every((number) => Number.isFinite(number) && number >= 0), part).toBe(true);
  }
});

it('by authentication: the gateway, and nginx with the same task; each had calls', () => {
  const cases = report.authentication?.cases ?? [];
  expect(cases.map(({ proxy }) => proxy)).toEqual(expect.arrayContaining(['gateway', 'nginx']));
  expect(cases.filter(({ proxy, agentAuth }) => proxy === 'gateway' && agentAuth === 'interactive')).toHaveLength(1);
  for (const { requestsPerSecond, p99Ms } of cases) expect(Math.min(requestsPerSecond, p99Ms)).toBeGreaterThan(0);
});

it('servers: published, started from both, called and edited', () => {
  expect(report.servers).toEqual([expect.objectContaining({ serverCount: 10, calls: expect.anything() as object, edits: expect.anything() as object })]);
});

it('idle streams: all stayed open and had a comment; each took two descriptors', () => {
  const { count = 0, wanted, commented, descriptorsOpen, descriptorsClosed = 0 } = report.streams ?? {};
  expect([count, wanted, commented]).toEqual([20, 20, 20]);
  expect(descriptorsOpen).toBeGreaterThan(Math.max(2 * count, descriptorsClosed));
});

it('propagation: with one data plane, the first that serves an edit is the last', () => {
  expect(report.propagation).toHaveLength(1);
  for (const { dataPlanes, edits, servedFirst, servedEverywhere } of report.propagation ?? []) {
    expect([dataPlanes, edits]).toEqual([1, 3]);
    expect(servedFirst).toEqual(servedEverywhere);
  }
});

it('text and picture are of what was measured, and say that the run was short', async () => {
  const [text, picture] = await Promise.all(['report.md', 'report.svg'].map((name) => readFile(join(folder, name), 'utf8')));
  expect([text, picture]).toEqual([renderReport(report, 'report.svg'), drawReport(report)]);
  expect(text?.match(/^## .*$/gm)).toEqual(['## By authentication', '## By number of servers', '## Idle streams', '## From an edit to every data plane']);
  expect(text).toContain('`--smallest`');
});

it('the picture is one: its elements close, nothing lies outside, it follows light and dark', () => {
  const picture = drawReport(report);
  const open: string[] = [];
  for (const [, end, name = '', whole] of picture.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end === '/') expect(open.pop()).toBe(name);
    else if (whole === '') open.push(name);
  }
  expect([open, picture]).toEqual([[], expect.stringContaining('prefers-color-scheme:dark') as string]);
  expect(picture).not.toMatch(/NaN|Infinity|undefined/);
  const [, width = 0] = (/ width="(\d+)"/.exec(picture) ?? []).map(Number);
  for (const [, x] of picture.matchAll(/translate\((-?[\d.]+) /g)) expect(Number(x)).toBeLessThan(width);
});

it('a part that failed is named, and takes no other with it', () => {
  const { streams: _streams, ...others } = report;
  const broken: Report = { ...others, failures: [{ part: 'streams', message: 'the process ended' }] };
  expect(renderReport(broken, 'report.svg')).toMatch(/## From an edit[\s\S]*## Not measured\n\n- streams: the process ended\n$/);
  expect(drawReport(broken)).not.toContain('idle streams');
});

it('what is measured by nobody is drawn as nothing', () => {
  const { authentication: _authentication, servers: _servers, streams: _streams, propagation: _propagation, ...nothing } = report;
  const empty = { ...nothing, failures: [] };
  expect(drawReport(empty)).not.toMatch(/NaN|Infinity/);
  expect(renderReport(empty, 'report.svg')).not.toContain('## ');
});

it.each([[['--report', 'x', '--parts', 'everything']], [['--unknown']]])('%j is refused', (args) => {
  expect(() => readOptions(args)).toThrow(TypeError);
});

it('a report is full unless it is said otherwise, and has the parts that are asked for', () => {
  expect(readOptions(['--report', 'x'])).toMatchObject({ report: 'x', length: 'full', parts: undefined, ownBuild: true });
  expect(readOptions(['--report=x', '--quick', '--parts', 'streams,servers'])).toMatchObject({ length: 'quick', parts: ['streams', 'servers'] });
  expect(readOptions([])).toMatchObject({ report: undefined });
});
