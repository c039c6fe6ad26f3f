import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import type { IdentityClaims, IdentitySigner } from '@gatehouse/app-auth';
import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import { Secret } from '@gatehouse/sealing';

/** A private key for ES256 (RFC 7518 section 6.2). */
export interface IdentityKey {
  /** Seconds since the epoch. */
  readonly signsFrom: number;
  readonly jwk: { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string; readonly d: Secret; readonly kid: string };
}

export interface IdentityKeysOptions {
  /** Under whose `/.well-known/jwks.json` the public keys are. */
  readonly issuer: string;
  readonly keys: readonly IdentityKey[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const lifeSeconds = 60;
/** How long one is sent again: whoever gets it then still has the other half of its life for their clock and their way. */
const reusedMs = 30_000;
const maxKept = 10_000;
/** In all, in characters. */
const maxKeptLength = 16_777_216;

interface PreparedKey {
  readonly signsFrom: number;
  readonly head: string;
  readonly key: KeyObject;
}

interface Signed {
  readonly token: Secret;
  readonly until: number;
}

/**
 * Signs who calls, for a minute each (RFC 7519, RFC 7515). What is said of a caller is signed anew where any of it is another. None has
 * an id (`jti`): calls of half a minute share one, and what bounds its use by somebody else is its audience and that minute.
 */
export class IdentityKeys implements IdentitySigner {
  readonly #issuer: string;
  /** The newest first. */
  readonly #keys: readonly PreparedKey[];
  readonly #oldest: PreparedKey;
  readonly #now: () => number;
  readonly #signed = new BoundedCache<Signed>(maxKept, new CacheBudget(maxKeptLength));
  #tidiedAt = 0;

  constructor({ issuer, keys, now }: IdentityKeysOptions) {
    const prepared = keys.map(prepare).sort((a, b) => b.signsFrom - a.signsFrom);
    const oldest = prepared.at(-1);
    if (oldest === undefined) throw new TypeError('no key');
    this.#issuer = issuer;
    this.#keys = prepared;
    this.#oldest = oldest;
    this.#now = now;
  }

  readonly sign = (claims: IdentityClaims): Secret => {
    const now = this.#now();
    const said = JSON.stringify(claims);
    const known = this.#signed.get(said);
    // A clock that was set back makes no token older than it is.
    if (known !== undefined && known.until > now && known.until <= now + reusedMs) return known.token;
    if (now >= this.#tidiedAt + reusedMs || now < this.#tidiedAt) this.#tidy(now);
    const token = new Secret(this.#signNow(claims, Math.floor(now / 1000)));
    this.#signed.set(said, { token, until: now + reusedMs }, said.length + token.reveal().length);
    return token;
  };

  /** What is known of callers is not kept for longer than it is of use. */
  #tidy(now: number): void {
    this.#tidiedAt = now;
    this.#signed.deleteWhere(({ until }) => until <= now || until > now + reusedMs);
  }

  #signNow(claims: IdentityClaims, iat: number): string {
    // One that is to sign later is published already: upstreams have it by then.
    const { head, key } = this.#keys.find(({ signsFrom }) => signsFrom <= iat) ?? this.#oldest;
    const text = `${head}.${encode({ iss: this.#issuer, ...claims, iat, exp: iat + lifeSeconds })}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
}

/** RFC 8725 section 3.11: of a type of its own, so that it is no access token anywhere. */
function prepare({ signsFrom, jwk: { kid, d, ...curve } }: IdentityKey): PreparedKey {
  const key = createPrivateKey({ key: { ...curve, d: d.reveal() }, format: 'jwk' });
  return { signsFrom, head: encode({ alg: 'ES256', typ: 'caller-identity+jwt', kid }), key };
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
