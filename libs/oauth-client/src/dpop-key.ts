import { generateKeyPairSync, hash, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { Secret } from '@gatehouse/sealing';

export interface ProvenRequest {
  readonly method: string;
  /** Absolute; query and fragment are not proven. */
  readonly url: string;
}

const maxNonces = 100;

/** A key that tokens are bound to, and the proofs of having it (RFC 9449). It lives as long as this process. */
export class DPoPKey {
  readonly #key: KeyObject;
  readonly #head: string;
  readonly #nonces = new Map<string, string>();

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
    this.#key = privateKey;
    this.#head = encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } });
  }

  /** A proof for one request (section 4.2). @param token that is sent with it; none at the token endpoint */
  readonly proofOf = ({ method, url: text }: ProvenRequest, token?: Secret): string => {
    const url = new URL(text);
    const ath = token && hash('sha256', token.reveal(), 'base64url');
    const payload = { jti: randomUUID(), htm: method, htu: url.origin + url.pathname, iat: Math.floor(Date.now() / 1000), ath, nonce: this.#nonces.get(url.origin) };
    const signed = `${this.#head}.${encoded(payload)}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), { key: this.#key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };

  /** What a server wants its next proofs to have (section 8). */
  readonly learn = (url: string, nonce: string): void => {
    const { origin } = new URL(url);
    if (!nonceShape.test(nonce)) return;
    // The newest last: it goes last.
    this.#nonces.delete(origin);
    const [oldest] = this.#nonces.size < maxNonces ? [] : this.#nonces.keys();
    if (oldest !== undefined) this.#nonces.delete(oldest);
    this.#nonces.set(origin, nonce);
  };
}

/** RFC 9449 section 8.1, within reason. */
const nonceShape = /^[\x21\x23-\x5b\x5d-\x7e]{1,1000}$/;

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
