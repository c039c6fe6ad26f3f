import { z } from 'zod';
import { canonicalName } from './canonical-name.ts';

const shape = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A pattern for header names: a name in which `*` stands for any characters. A glob, never a regular expression. */
export const headerPattern = (title = 'Header pattern') =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(256)
    .refine((value) => shape.test(value), 'is not a pattern for header names: only the characters of a name and * are allowed, such as x-internal-*')
    .meta({ title });

/** Whether a name matches; both are compared in canonical form (D5). Linear in the name for each `*`, whatever the pattern. */
export class HeaderPattern {
  /** As it was written. */
  readonly text: string;
  readonly #parts: readonly string[];

  constructor(text: string) {
    this.text = text;
    this.#parts = canonicalName(text).split('*');
  }

  matches(canonical: string): boolean {
    const parts = this.#parts;
    const first = parts[0] as string;
    if (parts.length === 1) return canonical === first;
    const last = parts[parts.length - 1] as string;
    if (canonical.length < first.length + last.length || !canonical.startsWith(first) || !canonical.endsWith(last)) return false;
    // Each part at its leftmost place leaves the most room for the next: nothing has to be tried twice.
    const end = canonical.length - last.length;
    let at = first.length;
    for (let index = 1; index < parts.length - 1; index += 1) {
      const part = parts[index] as string;
      const found = canonical.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  }
}
