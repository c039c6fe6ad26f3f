import { hash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';

export interface VerifiedProof {
  /** Of the key (RFC 7638). */
  readonly thumbprint: string;
  readonly nonce: unknown;
}

/** Checks a proof as RFC 9449 section 4.3 has it; each counts once. Rejects where it is none, or of another request or token. */
export async function verifyProof(proof: string, { method, url, token }: { readonly method: string; readonly url: string; readonly token?: string | undefined }): Promise<VerifiedProof> {
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256'], maxTokenAge: '1 min', requiredClaims: ['jti', 'iat'] });
  const ath = token === undefined ? undefined : hash('sha256', token, 'base64url');
  if (payload['htm'] !== method || payload['htu'] !== url || payload['ath'] !== ath) throw new TypeError('a proof of another request');
  if (JSON.stringify(protectedHeader.jwk).includes('"d"')) throw new TypeError('a private key');
  if (seen.has(payload.jti ?? '')) throw new TypeError('a proof that came before');
  seen.add(payload.jti ?? '');
  return { thumbprint: await calculateJwkThumbprint(protectedHeader.jwk ?? {}), nonce: payload['nonce'] };
}

const seen = new Set<string>();
