/** Prints rows under a header: the first column is text, the others are aligned as numbers. */
export function printTable(title: string, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  console.log(`\n${title}\n`);
  for (const row of [header, ...rows]) console.log(`  ${line(row)}`);
}

/** One target: what was to be reached, what was, and whether that is enough. */
export function printTarget(name: string, value: number, target: number, unit: string, kind: 'at most' | 'at least' = 'at most'): void {
  const met = kind === 'at most' ? value <= target : value >= target;
  console.log(`  ${met ? 'met   ' : 'MISSED'}  ${name}: ${format(value)} ${unit} (target: ${kind} ${target} ${unit})`);
}

export const format = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2));
