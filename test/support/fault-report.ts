import { appendFileSync } from 'node:fs';

/** What a fault spec has measured, one line of the file that `npm run faults` names. */
export interface FaultLine {
  /** Of docs/faults.md. */
  readonly row: number;
  readonly what: string;
  /** By name, with the unit in it (`convergedMs`). */
  readonly measured: Readonly<Record<string, number | string>>;
  /** ISO 8601. */
  readonly at: string;
}

/** Notes what a fault of docs/faults.md did: a JSON line in the file of GATEHOUSE_FAULT_REPORT, nothing where that is not set. */
export function reportFault(row: number, what: string, measured: Readonly<Record<string, number | string>>): void {
  const file = process.env['GATEHOUSE_FAULT_REPORT'];
  if (file === undefined) return;
  const line: FaultLine = { row, what, measured, at: new Date().toISOString() };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}
