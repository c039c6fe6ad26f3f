import type { Readable } from 'node:stream';
import type { Visit } from '../person.ts';
import type { OpenInBrowser } from './interactive-client.ts';

/** The addresses that a client tells its person to go to, as they stand in a terminal. */
const prompt = /https?:\/\/\S+\/oauth\/authorize\?\S+/;

export interface FollowedPrompts {
  /** Everything so far. */
  said: () => string;
  /** Rejects where a page could not be got through: the program itself would only wait. */
  failed: Promise<never>;
  /** The browser is where it was sent last, which may be a little after the program has what it wanted. */
  settled: () => Promise<unknown>;
}

/** Reads what a program says, and goes where it sends its person. */
export function followPrompts(terminal: Readable, open: OpenInBrowser, visits: Visit[]): FollowedPrompts {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  let text = '';
  let read = 0;
  let visit: Promise<unknown> = Promise.resolve();
  terminal.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const lines = text.lastIndexOf('\n');
    const url = prompt.exec(text.slice(read, lines + 1))?.[0];
    if (url === undefined) return;
    read = lines + 1;
    visit = open(url).then((over) => visits.push(over), reject);
  });
  // Whoever does not wait for it is not asked for it.
  failed.catch(() => undefined);
  return { said: () => text, failed, settled: () => visit };
}
