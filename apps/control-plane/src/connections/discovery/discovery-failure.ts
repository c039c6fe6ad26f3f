/** A server's authorization could not be found out: what it publishes cannot be used, or nothing answers. */
export class DiscoveryFailure extends Error {
  /** Nothing says anything at the moment. */
  readonly isPassing: boolean;

  constructor(description: string, { isPassing = false, cause }: { readonly isPassing?: boolean; readonly cause?: unknown } = {}) {
    super(description, { cause });
    this.name = 'DiscoveryFailure';
    this.isPassing = isPassing;
  }
}
