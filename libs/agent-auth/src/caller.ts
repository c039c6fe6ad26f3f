/** Who calls the data plane. */
export interface Caller {
  /** Stable and unique in a workspace: sessions are bound to it, call events name it. */
  readonly id: string;
  readonly kind: 'anonymous' | 'service-account' | 'token' | 'person';
  readonly name: string;
  readonly groups: readonly string[];
  /** As its issuer knows it: a person's id, a token's `sub`. */
  readonly subject?: string;
  /** Whose word `subject` is, where the server insists on it: a token of any issuer may say any. */
  readonly issuer?: string;
  readonly email?: string;
  /** Of a person, the name of the provider that they log in at. */
  readonly identityProvider?: string;
  /** Names what let it in, where that can be withdrawn: a key's id, a grant. No secret. */
  readonly credential?: string;
  /** When the credential expires; milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** What a verified token says of its caller; never logged. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** What the very token that was verified is recognised by: SHA-256, base64url. Of the token itself nothing is kept (P6, docs/rules.md). */
  readonly tokenDigest?: string;
}

/** The caller of a server that checks nothing. */
export const anonymousCaller: Caller = { id: 'anonymous', kind: 'anonymous', name: 'anonymous', groups: [] };
