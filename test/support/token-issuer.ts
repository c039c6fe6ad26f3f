import { createServer, type ServerResponse } from 'node:http';
import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export type IssuerAlgorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

export interface SigningKey {
  readonly kid: string | undefined;
  readonly alg: IssuerAlgorithm;
  readonly privateKey: CryptoKey;
  /** As it is published. */
  readonly publicJwk: JWK;
}

export interface TokenIssuer {
  /** Origin of its server, and what its tokens have as `iss`. */
  readonly url: string;
  readonly jwksUrl: string;
  /** Key it signs with. */
  readonly key: SigningKey;
  /** How often its key set has been asked for. */
  readonly fetches: number;
  /** A token with `iss`, `sub` and `exp` (in five minutes), and a header with `alg`, `kid` and `typ`; `undefined` leaves one out. */
  sign(claims?: Readonly<Record<string, unknown>>, options?: { readonly header?: Readonly<Record<string, unknown>>; readonly key?: SigningKey }): Promise<string>;
  /** Signs with a new key from now on. The former one stays published unless it is withdrawn. */
  rotate(options?: { readonly withdraw?: boolean; readonly alg?: IssuerAlgorithm; readonly kid?: string | undefined }): Promise<SigningKey>;
  /** Publishes exactly these. */
  publish(...keys: readonly JWK[]): void;
  /** Answers otherwise from now on; without an argument, with its key set again. */
  answer(handler?: (response: ServerResponse) => void): void;
  /** Breaks off every connection from now on, or no more. */
  goAway(isAway?: boolean): void;
  close(): Promise<void>;
}

export async function makeSigningKey(alg: IssuerAlgorithm, kid: string | undefined, more: JWK | Record<string, unknown> = {}): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), ...(kid !== undefined && { kid }), alg, use: 'sig', ...more } };
}

/** A real issuer of JWTs: an HTTP server that publishes its keys. */
export async function startTokenIssuer(alg: IssuerAlgorithm = 'ES256'): Promise<TokenIssuer> {
  let serial = 1;
  let fetches = 0;
  let key = await makeSigningKey(alg, 'key-1');
  let published: readonly JWK[] = [key.publicJwk];
  let isAway = false;
  const answerKeys = (response: ServerResponse): void => void response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ keys: published }));
  let answer = answerKeys;
  const server = createServer((request, response) => {
    fetches += 1;
    if (isAway) request.socket.destroy();
    else answer(response);
  });
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}`;

  return {
    url,
    jwksUrl: `${url}/jwks`,
    get key() {
      return key;
    },
    get fetches() {
      return fetches;
    },
    sign: (claims = {}, { header = {}, key: signer = key } = {}) => {
      const payload = JSON.stringify({ iss: url, sub: 'ana', exp: Math.floor(Date.now() / 1000) + 300, ...claims });
      const protectedHeader = JSON.parse(JSON.stringify({ alg: signer.alg, kid: signer.kid, typ: 'JWT', ...header })) as { alg: string };
      return new CompactSign(Buffer.from(payload)).setProtectedHeader(protectedHeader).sign(signer.privateKey, { crit: { unheardOf: true } });
    },
    rotate: async ({ withdraw = false, alg: newAlg = key.alg, ...options } = {}) => {
      const former = key;
      serial += 1;
      key = await makeSigningKey(newAlg, 'kid' in options ? options.kid : `key-${serial}`);
      published = withdraw ? [key.publicJwk] : [...published, key.publicJwk];
      return former;
    },
    publish: (...keys) => void (published = keys),
    answer: (handler = answerKeys) => void (answer = handler),
    goAway: (away = true) => void (isAway = away),
    close: () => closeHttpServer(server),
  };
}
