import type { Problem } from '@gatehouse/errors';

/** Arguments that no request can be made of. The problems are for whoever calls the tool: each names the argument by its pointer. */
export class ArgumentError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '));
    this.name = 'ArgumentError';
    this.problems = problems;
  }
}
