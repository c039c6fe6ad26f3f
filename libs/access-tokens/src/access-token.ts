import type { Secret } from '@gatehouse/sealing';

/** A token that was obtained from somewhere, and may be obtained again. */
export interface AccessToken {
  readonly value: Secret;
  /** Milliseconds since the epoch; absent where nobody says. */
  readonly expiresAt: number | undefined;
  /** Whatever a revocation may name it by: its connection, what that is of, its person. */
  readonly subjects: readonly string[];
}
