import { styleText } from 'node:util';

/** What a command says: results on standard output, everything else on standard error. */
export const output = {
  line(text = ''): void {
    process.stdout.write(`${text}\n`);
  },
  /** One JSON document on one line, for programs. */
  json(value: unknown): void {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  },
  note(text: string): void {
    process.stderr.write(`${text}\n`);
  },
};

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** Colour where standard output is a terminal that has it (and `NO_COLOR` is not set). */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** Text of others, fit for a terminal: control characters (escape sequences) are made visible instead of obeyed. */
export const printable = (text: string): string => text.replaceAll(/[^\P{Cc}\n\t]/gu, '\uFFFD');
