import { fileURLToPath } from 'node:url';

export const faultsPage = fileURLToPath(new URL('../../docs/faults.md', import.meta.url));

/** A fault, with the specs that bring it about, as paths from the root. */
export interface FaultRow {
  readonly row: number;
  readonly specs: readonly string[];
}

export interface MeasuredRow {
  readonly row: number;
  readonly what: string;
  readonly measured: string;
  readonly result: string;
  readonly date: string;
}

const [begin, end] = ['<!-- measured by npm run faults -->', '<!-- end of what was measured -->'] as const;

/** The first table of the page: number first, specs in the last two columns. */
export function faultRows(page: string): FaultRow[] {
  return tableRows(page.slice(0, page.indexOf(begin))).map(([number, ...cells]) => ({
    row: Number(number),
    specs: [...cells.join(' ').matchAll(/`((?:test|apps|libs)\/[\w./-]+\.spec\.ts)`/g)].map(([, path = '']) => path),
  }));
}

export function measuredRows(page: string): MeasuredRow[] {
  const rows = tableRows(page.slice(page.indexOf(begin), page.indexOf(end)));
  return rows.map(([row, what = '', measured = '', result = '', date = '']) => ({ row: Number(row), what, measured, result, date }));
}

/** The page with other measurements. @param machine in general words */
export function withMeasured(page: string, rows: readonly MeasuredRow[], machine: string): string {
  const lines = rows.map(({ row, what, measured, result, date }) => `| ${row} | ${what} | ${measured} | ${result} | ${date} |`);
  const table = ['| # | what | measured | result | date |', '|---|---|---|---|---|', ...lines].join('\n');
  return `${page.slice(0, page.indexOf(begin))}${begin}\n\nOn a machine with ${machine}.\n\n${table}\n\n${page.slice(page.indexOf(end))}`;
}

/** Cells of the rows that begin with a number. */
function tableRows(text: string): string[][] {
  return text.split('\n').filter((line) => /^\| \d+ \|/.test(line)).map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim()));
}
