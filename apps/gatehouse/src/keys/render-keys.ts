import { styled } from '../output.ts';
import type { DataKey } from './data-keys.ts';

const titles = ['WORKSPACE', 'TERM', 'STATE', 'AGE', 'SEALED', 'VALUES', 'ROOT KEY', ''];

/** A line for each key, for a person. */
export function renderKeys(keys: readonly DataKey[], now: Date): string {
  if (keys.length === 0) return 'There are no data keys yet: the first secret makes the first one.';
  const rows = keys.map((key) => [
    key.workspace ?? '(gateway)', String(key.term), key.state, ageOf(key, now), String(key.sealedCount), String(key.values), key.root ?? '–', remarkOf(key),
  ]);
  const widths = titles.map((title, column) => Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(({ length }) => length)));
  const line = (cells: readonly string[]): string => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd();
  return [styled('bold', line(titles)), ...rows.map(line)].join('\n');
}

function ageOf({ createdAt }: DataKey, now: Date): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - new Date(createdAt).getTime()) / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} d`;
}

function remarkOf({ rotationDue, unreadable }: DataKey): string {
  if (unreadable > 0) return `${unreadable} of its values cannot be opened`;
  return rotationDue ? 'due for rotation' : '';
}
