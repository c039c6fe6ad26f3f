import type { Secret } from '@gatehouse/sealing';

/** What a token endpoint gave. */
export interface TokenSet {
  readonly accessToken: Secret;
  /** Absent: the one before is still good (RFC 6749 section 6), or there is none. */
  readonly refreshToken?: Secret;
  readonly idToken?: Secret;
  /** From when the answer came; absent where the provider does not say. */
  readonly expiresInSeconds?: number;
  /** It counts only with a proof of the client's key (RFC 9449 section 5). */
  readonly isBound?: true;
  /** Absent: what was asked for (RFC 6749 section 5.1). */
  readonly scope?: readonly string[];
}
