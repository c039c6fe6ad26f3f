import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Placeholders } from './request-of-case.ts';

/** A token that is good for an hour, the key set it is verified with, and a service account's key. */
export async function makePlaceholders(serviceAccountKey: string): Promise<Placeholders> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwt = await new SignJWT({ sub: 'ana' }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).setExpirationTime('1h').sign(privateKey);
  return { serviceAccountKey, jwt, jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] } };
}
