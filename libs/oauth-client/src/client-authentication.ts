import { createPrivateKey, type JsonWebKey, type KeyObject, type webcrypto } from 'node:crypto';
import type { Secret } from '@gatehouse/sealing';
import { type ClientAuth, ClientSecretPost, modifyAssertion, None, PrivateKeyJwt } from 'openid-client';
import type { OAuthClient } from './oauth-client.ts';
import { OAuthFailure } from './oauth-failure.ts';

/** A provider's clock may be behind ours: an assertion that it thinks is of the future would be refused (RFC 7523 section 3). */
const assertionBackdatingSeconds = 30;

/** @throws OAuthFailure misconfigured for a key that is none */
export function clientAuthenticationOf({ authentication }: OAuthClient): ClientAuth {
  switch (authentication.method) {
    case 'basic':
      return basic(authentication.secret);
    case 'post':
      return ClientSecretPost(authentication.secret.reveal());
    case 'private-key-jwt':
      return PrivateKeyJwt(signingKeyOf(authentication.key), { [modifyAssertion]: (_header, payload) => void backdate(payload) });
    case 'none':
      return None();
  }
}

/**
 * RFC 6749 section 2.3.1 has id and secret form-encoded first. Not every provider decodes them, so that no more is encoded than must
 * be: what most secrets are made of is the same either way.
 */
function basic(secret: Secret): ClientAuth {
  return (_server, client, _body, headers) => {
    const credentials = `${encodeURIComponent(client.client_id)}:${encodeURIComponent(secret.reveal())}`;
    headers.set('Authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  };
}

function backdate(payload: Record<string, unknown>): void {
  for (const claim of ['iat', 'nbf']) payload[claim] = Number(payload[claim]) - assertionBackdatingSeconds;
}

type SigningAlgorithm = webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams | { readonly name: 'Ed25519' };

const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

function signingKeyOf(secret: Secret): { key: webcrypto.CryptoKey; kid?: string } {
  const text = secret.reveal().trim();
  try {
    const jwk = text.startsWith('{') ? (JSON.parse(text) as JsonWebKey & { kid?: unknown; alg?: unknown }) : undefined;
    const key = jwk ? createPrivateKey({ key: jwk, format: 'jwk' }) : createPrivateKey(text);
    const cryptoKey = key.toCryptoKey(algorithmOf(key, jwk?.alg), false, ['sign']);
    return { key: cryptoKey, ...(typeof jwk?.kid === 'string' && { kid: jwk.kid }) };
  } catch {
    // Its cause may quote the key.
    throw new OAuthFailure('misconfigured', 'the client’s private key is neither PEM (PKCS #8) nor a JWK of RSA, EC or Ed25519');
  }
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject, alg: unknown): SigningAlgorithm {
  if (type === 'ed25519') return { name: 'Ed25519' };
  if (type === 'ec') return { name: 'ECDSA', namedCurve: curves[details?.namedCurve ?? ''] ?? '' };
  const bits = /^[RP]S(256|384|512)$/.exec(typeof alg === 'string' ? alg : '')?.[1] ?? '256';
  const isPss = type === 'rsa-pss' || (typeof alg === 'string' && alg.startsWith('PS'));
  return { name: isPss ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash: `SHA-${bits}` };
}
