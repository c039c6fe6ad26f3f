import { linearPattern, type Tester } from './linear-pattern.ts';

/** The patterns of one schema, each compiled when it is first needed. */
export class SchemaPatterns {
  readonly #testers = new Map<string, Tester>();

  matches(pattern: string, text: string): boolean {
    let tester = this.#testers.get(pattern);
    if (tester === undefined) {
      tester = linearPattern(pattern);
      this.#testers.set(pattern, tester);
    }
    return tester.test(text);
  }
}
