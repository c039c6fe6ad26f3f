/**
 * - `refused`: the grant is not good any more (`invalid_grant`): only the person can help.
 * - `misconfigured`: how we are registered there, or what we ask for, is not accepted: an administrator has to look at it.
 * - `unavailable`: there was no answer that says anything. It passes by itself.
 */
export type OAuthFailureKind = 'refused' | 'misconfigured' | 'unavailable';

export interface OAuthFailureOptions {
  /** As the provider's answer has it, where it has one. */
  readonly error?: string | undefined;
  readonly status?: number | undefined;
  /** Whether the provider may have carried the request out all the same: it was sent, and no answer came. */
  readonly mayHaveActed?: boolean;
  readonly cause?: unknown;
}

/** Whether a provider's `error` is written as those of RFC 6749 section 5.2 and what is registered beside them: a sentence is not, nor is an address. */
export const isErrorCode = (error: string | undefined): error is string => error !== undefined && /^[a-z_]{1,64}$/.test(error);

/** A request to a provider that did not get what it asked for. Its message never holds a token, a code or a secret. */
export class OAuthFailure extends Error {
  readonly kind: OAuthFailureKind;
  readonly error: string | undefined;
  readonly status: number | undefined;
  readonly mayHaveActed: boolean;

  constructor(kind: OAuthFailureKind, description: string, { error, status, mayHaveActed = false, cause }: OAuthFailureOptions = {}) {
    super(description, { cause });
    this.name = 'OAuthFailure';
    this.kind = kind;
    this.error = error;
    this.status = status;
    this.mayHaveActed = mayHaveActed;
  }
}
