/*
 * What tokens may be signed with, and the keys that go with it: RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section
 * 2.2. Asymmetric only: with a shared secret whoever can verify a token can make one, and `none` is no signature. They are not
 * in the table, so that no configuration can name them.
 */
const keyTypes = {
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
} as const satisfies Record<string, { readonly kty: string; readonly crv?: string }>;

export type SignatureAlgorithm = keyof typeof keyTypes;

/** Every algorithm that a token may be signed with. */
export const signatureAlgorithms = Object.keys(keyTypes) as [SignatureAlgorithm, ...SignatureAlgorithm[]];

/** The algorithms a key (RFC 7517 section 4) is for: the one it names, else all of its type and curve. */
export function algorithmsOf({ kty, crv, alg }: Readonly<Record<string, unknown>>): readonly SignatureAlgorithm[] {
  return signatureAlgorithms.filter((name) => {
    const needed: { readonly kty: string; readonly crv?: string } = keyTypes[name];
    return needed.kty === kty && needed.crv === (kty === 'RSA' ? undefined : crv) && (alg === undefined || alg === name);
  });
}
