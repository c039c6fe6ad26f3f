import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { CompactSign } from 'jose';
import { closeHttpServer, listenOnLoopback } from './listen.ts';
import { makeSigningKey, type SigningKey } from './token-issuer.ts';

type Json = Readonly<Record<string, unknown>>;

export interface TokenAnswer {
  readonly status?: number;
  readonly body: unknown;
}

export interface ForgingProvider {
  readonly issuer: string;
  readonly key: SigningKey;
  /** Says something else in its discovery document from now on. */
  describe(overrides?: Json): void;
  /** Answers the next codes so; `fields` is what was sent. */
  answerCode(answer: (fields: URLSearchParams) => TokenAnswer | Promise<TokenAnswer>): void;
  answerUserInfo(body: unknown, status?: number): void;
  /** An ID token for `clientId`, valid for five minutes; `undefined` leaves a claim out. */
  idToken(claims: Json, options?: { readonly header?: Json; readonly key?: SigningKey }): Promise<string>;
  /** Instead of everything else. */
  answerAll(handler?: (request: IncomingMessage, response: ServerResponse) => void): void;
  readonly tokenRequests: readonly { readonly authorization: string | undefined; readonly fields: URLSearchParams }[];
  close(): Promise<void>;
}

export const forgedClient = { clientId: 'gatehouse', clientSecret: 'secret-of-the-forged-client' } as const;

/** An OpenID provider that says whatever a test has it say. Its authorization endpoint is the test itself. */
export async function startForgingProvider(): Promise<ForgingProvider> {
  const key = await makeSigningKey('RS256', 'forger-1');
  let overrides: Json = {};
  let answer: (fields: URLSearchParams) => TokenAnswer | Promise<TokenAnswer> = () => ({ status: 400, body: { error: 'invalid_grant' } });
  let userInfo: TokenAnswer = { body: {} };
  let instead: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  const tokenRequests: { authorization: string | undefined; fields: URLSearchParams }[] = [];
  const server = createServer((request, response) => {
    if (instead) return instead(request, response);
    void reply(request).then(({ status = 200, body }) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body)));
    return undefined;
  });
  const issuer = `http://127.0.0.1:${await listenOnLoopback(server)}`;

  async function reply(request: IncomingMessage): Promise<TokenAnswer> {
    switch (new URL(request.url ?? '/', issuer).pathname) {
      case '/.well-known/openid-configuration':
        return {
          body: {
            issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, userinfo_endpoint: `${issuer}/userinfo`,
            response_types_supported: ['code'], code_challenge_methods_supported: ['S256'], id_token_signing_alg_values_supported: ['RS256'], ...overrides,
          },
        };
      case '/jwks':
        return { body: { keys: [key.publicJwk] } };
      case '/userinfo':
        return userInfo;
      case '/token': {
        const fields = new URLSearchParams(await text(request));
        tokenRequests.push({ authorization: request.headers.authorization, fields });
        return answer(fields);
      }
      default:
        return { status: 404, body: {} };
    }
  }

  return {
    issuer, key, tokenRequests,
    describe: (changed = {}) => void (overrides = changed),
    answerCode: (given) => void (answer = given),
    answerUserInfo: (body, status = 200) => void (userInfo = { status, body }),
    answerAll: (handler) => void (instead = handler),
    idToken: (claims, { header = {}, key: signer = key } = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const payload = JSON.stringify({ iss: issuer, aud: forgedClient.clientId, sub: 'ana', iat: now, exp: now + 300, ...claims });
      const protectedHeader = JSON.parse(JSON.stringify({ alg: signer.alg, kid: signer.kid, ...header })) as { alg: string };
      return new CompactSign(Buffer.from(payload)).setProtectedHeader(protectedHeader).sign(signer.privateKey);
    },
    close: () => closeHttpServer(server),
  };
}
