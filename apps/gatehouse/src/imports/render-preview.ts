import { printable, styled } from '../output.ts';

interface LeftOut {
  readonly operation: string;
  readonly reason: string;
  readonly detail: string;
}

interface Note {
  readonly pointer: string;
  readonly detail: string;
}

export interface Preview {
  readonly title: string;
  readonly version: string;
  readonly tools: readonly { readonly name: string; readonly title?: string; readonly description?: string; readonly method: string; readonly path: string }[];
  readonly leftOut: readonly LeftOut[];
  readonly warnings: readonly Note[];
}

export interface ToolsDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly { readonly tool: string; readonly fields: readonly string[] }[];
  readonly unchanged: number;
  readonly edits: { readonly kept: number; readonly orphaned: readonly string[] };
  readonly leftOut: readonly LeftOut[];
  readonly warnings: readonly Note[];
}

const maxRows = 100;
const maxNotes = 20;
const maxWords = 80;

/** What a person reads of an import: the tools, and what did not become one. */
export function renderPreview({ title, version, tools, leftOut, warnings }: Preview): string {
  const of = [title, version].filter((text) => text !== '').map(printable).join(' ');
  const widths = [tools.map(({ name }) => name), tools.map(requestOf)].map((texts) => Math.min(48, Math.max(0, ...texts.map(({ length }) => length))));
  const row = (tool: Preview['tools'][number]): string => {
    const words = firstLine(tool.title ?? tool.description ?? '');
    return `  ${printable(tool.name).padEnd(widths[0] ?? 0)}  ${printable(requestOf(tool)).padEnd(widths[1] ?? 0)}  ${styled('dim', printable(words))}`.trimEnd();
  };
  return [
    styled('bold', `${counted(tools.length, 'tool')}${of === '' ? '' : ` of ${of}`}`),
    ...tools.slice(0, maxRows).map(row),
    ...more(tools.length - maxRows),
    ...renderLeftOut(leftOut),
    ...renderWarnings(warnings),
  ].join('\n');
}

/** The lines of a re-import. */
export function renderToolsDiff({ added, removed, changed, unchanged, edits, leftOut, warnings }: ToolsDiff): string[] {
  const rows = [
    ...added.map((tool) => styled('green', `  + ${printable(tool)}`)),
    ...removed.map((tool) => styled('red', `  - ${printable(tool)}`)),
    ...changed.map(({ tool, fields }) => styled('yellow', `  ~ ${printable(tool)}  (${fields.join(', ')})`)),
  ];
  return [
    ...rows.slice(0, maxRows), ...more(rows.length - maxRows),
    `  ${counted(unchanged, 'tool')} unchanged`,
    ...(edits.kept > 0 ? [`  ${counted(edits.kept, 'edit')} kept`] : []),
    ...(edits.orphaned.length > 0 ? [styled('yellow', `  edits of tools that are gone: ${edits.orphaned.map(printable).join(', ')}`)] : []),
    ...renderLeftOut(leftOut), ...renderWarnings(warnings),
  ];
}

const requestOf = ({ method, path }: { readonly method: string; readonly path: string }): string => (path === '' ? 'GraphQL' : `${method} ${path}`);

const renderLeftOut = (leftOut: readonly LeftOut[]): string[] =>
  leftOut.length === 0 ? [] : [`${counted(leftOut.length, 'operation')} left out`, ...leftOut.slice(0, maxNotes).map(({ operation, reason, detail }) => `  ${printable(operation)}  ${styled('dim', `${reason}: ${printable(detail)}`)}`), ...more(leftOut.length - maxNotes)];

const renderWarnings = (warnings: readonly Note[]): string[] =>
  warnings.length === 0 ? [] : [counted(warnings.length, 'warning'), ...warnings.slice(0, maxNotes).map(({ pointer, detail }) => `  ${styled('dim', `${printable(pointer)} ${printable(detail)}`)}`), ...more(warnings.length - maxNotes)];

const more = (count: number): string[] => (count > 0 ? [`  … and ${count} more (--json has all)`] : []);
const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > maxWords ? `${line.slice(0, maxWords - 1)}…` : line;
}
