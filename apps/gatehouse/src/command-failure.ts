export const exitCodes = { failed: 1, differences: 1, usage: 2, settings: 78 } as const;

/** What went wrong, as a sentence for the person at the terminal; printed without a stack. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(message: string, options: ErrorOptions & { exitCode?: number } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? exitCodes.failed;
  }
}
