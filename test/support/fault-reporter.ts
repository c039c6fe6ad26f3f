import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Reporter, TestModule } from 'vitest/node';
import type { FaultLine } from './fault-report.ts';
import { faultRows, faultsPage, type MeasuredRow, measuredRows, withMeasured } from './faults-page.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** At the end of `npm run faults`: what each fault has come to, printed, and written into docs/faults.md in the place of what was there of it. */
export class FaultReporter implements Reporter {
  readonly #lines: string;

  /** @param lines the file that GATEHOUSE_FAULT_REPORT names */
  constructor(lines: string) {
    this.#lines = lines;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const page = readFileSync(faultsPage, 'utf8');
    const states = new Map(modules.map((module) => [module.moduleId.replace(root, ''), module.state()]));
    const measured = this.#measured();
    const rows = faultRows(page).flatMap(({ row, specs }): MeasuredRow[] => {
      const ran = specs.filter((spec) => states.has(spec));
      if (ran.length === 0) return [];
      const result = ran.every((spec) => states.get(spec) === 'passed') ? 'passed' : `failed: ${ran.filter((spec) => states.get(spec) !== 'passed').join(', ')}`;
      const lines = measured.filter((line) => line.row === row);
      const date = new Date().toISOString().slice(0, 10);
      if (lines.length === 0) return [{ row, what: 'all of it', measured: '', result, date }];
      return lines.map((line) => ({ row, what: line.what, measured: figures(line), result, date }));
    });
    if (rows.length === 0) return;
    for (const { row, what, measured: text, result } of rows) console.log(`fault ${String(row).padEnd(3)} ${result.padEnd(8)} ${what}: ${text}`);
    const ran = new Set(rows.map(({ row }) => row));
    const kept = measuredRows(page).filter(({ row }) => !ran.has(row));
    writeFileSync(faultsPage, withMeasured(page, [...kept, ...rows].toSorted((one, other) => one.row - other.row), machine()));
  }

  /** The last one of each name: what was done again was measured again. */
  #measured(): FaultLine[] {
    if (!existsSync(this.#lines)) return [];
    const lines = readFileSync(this.#lines, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as FaultLine);
    return [...new Map(lines.map((line) => [`${line.row} ${line.what}`, line])).values()];
  }
}

const figures = ({ measured }: FaultLine): string => Object.entries(measured).map(([name, value]) => `${name} ${value}`).join(', ');

const machine = (): string => `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB of memory, Node ${process.versions.node}`;
