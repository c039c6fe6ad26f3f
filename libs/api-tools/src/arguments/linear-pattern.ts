import { RE2JS } from 're2js';

export interface Tester {
  readonly test: (text: string) => boolean;
}

/**
 * A regular expression of someone else’s document, matched in time linear in the text. What RE2 does not know (look-around,
 * back-references) matches anything: those are what takes exponential time, and the API checks its own patterns.
 */
export function linearPattern(pattern: string): Tester {
  try {
    const compiled = RE2JS.compile(pattern);
    return { test: (text) => compiled.matcher(text).find() };
  } catch {
    return { test: () => true };
  }
}
