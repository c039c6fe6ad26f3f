import type { Secret } from '@gatehouse/sealing';

/** What a token rests on: withdrawn, it is used no more, and neither is what runs on it. */
export interface TokenGrounds {
  /** Whatever a revocation may name it by: its connection, what that is of, its person. */
  readonly subjects: readonly string[];
  /** Milliseconds since the epoch; absent where nothing of it can be revoked. */
  readonly askedAt?: number;
}

/** Proves, with each request, the possession of the key that a token is bound to (RFC 9449). */
export interface TokenKey {
  readonly proofOf: (request: { readonly method: string; readonly url: string }, token: Secret) => string;
  /** What the server of a URL wants its next proofs to have. */
  readonly learn: (url: string, nonce: string) => void;
}

/** A token that was obtained from somewhere, and may be obtained again. */
export interface AccessToken extends TokenGrounds {
  readonly value: Secret;
  /** Milliseconds since the epoch; absent where nobody says. */
  readonly expiresAt: number | undefined;
  /** What it is bound to; absent where whoever bears it may use it. */
  readonly key?: TokenKey | undefined;
  /** What its text is recognised by, where that is known: SHA-256, base64url. */
  readonly digest?: string | undefined;
}
