import type { Secret } from '@gatehouse/sealing';

/** What a token rests on: withdrawn, it is used no more, and neither is what runs on it. */
export interface TokenGrounds {
  /** Whatever a revocation may name it by: its connection, what that is of, its person. */
  readonly subjects: readonly string[];
  /** Milliseconds since the epoch; absent where nothing of it can be revoked. */
  readonly askedAt?: number;
}

/** A token that was obtained from somewhere, and may be obtained again. */
export interface AccessToken extends TokenGrounds {
  readonly value: Secret;
  /** Milliseconds since the epoch; absent where nobody says. */
  readonly expiresAt: number | undefined;
}
