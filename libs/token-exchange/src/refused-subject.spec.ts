import { hash } from 'node:crypto';
import { AccessTokens, type TokenRequest, type TokenSource } from '@gatehouse/access-tokens';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type ExchangeProvider, startExchangeProvider } from '../../../test/support/exchange-provider.ts';
import { startTokenIssuer, type TokenIssuer } from '../../../test/support/token-issuer.ts';
import { completeExchange } from './exchange-config.ts';
import { type PreparedExchange, prepareExchange } from './prepare-exchange.ts';
import { failureOf, loggedIn, textOf, withToken } from './spec-support.ts';

const ana = '01919e1c-0000-7000-8000-00000000a0a0';
let issuer: TokenIssuer;
let stranger: TokenIssuer;
let provider: ExchangeProvider;
let asked: TokenRequest[];

beforeAll(async () => {
  [issuer, stranger] = await Promise.all([startTokenIssuer(), startTokenIssuer()]);
  provider = await startExchangeProvider(issuer);
});
afterAll(() => Promise.all([issuer.close(), stranger.close(), provider.close()]));
beforeEach(() => {
  asked = [];
});

/** Of a login whose tokens are these, one after another as they are refused. */
const tokensOf = (...values: string[]): TokenSource => tokensBy((url, init) => fetch(url, init), ...values);

function tokensBy(request: (url: string, init: RequestInit) => Promise<Response>, ...values: string[]): TokenSource {
  return new AccessTokens({
    now: Date.now,
    fetch: request,
    post: (body) => {
      const request = JSON.parse(body) as TokenRequest;
      asked.push(request);
      if (values.length > 1 && request.refused === hash('sha256', values[0] ?? '', 'base64url')) values.shift();
      const answer = { status: 'token', login: request.login, accessToken: values[0], connection: 'login', owner: 'corporate', person: ana };
      return Promise.resolve({ status: 200, body: JSON.stringify(answer) });
    },
  });
}
const exchange = (): PreparedExchange => {
  const { tokenUrl, clientId, clientSecret } = provider;
  return prepareExchange(completeExchange.parse({ type: 'on-behalf-of', tokenUrl, clientId, clientSecret }));
};

it('the token of a login that the provider does not take is asked for once more, and the other one exchanged, for all who call', async () => {
  const tokens = tokensOf(await stranger.sign({ sub: 'ana' }), await issuer.sign({ sub: 'ana-again' }));
  const before = provider.requests;
  const prepared = exchange();
  const values = await Promise.all([1, 2, 3].map(() => textOf(prepared.obtain(loggedIn(ana, tokens)))));
  expect(values.map((value) => provider.granted.get(value ?? '')?.subject)).toEqual(['ana-again', 'ana-again', 'ana-again']);
  expect([asked.length, provider.requests - before]).toEqual([2, 2]);
});

it('the same one is not sent again', async () => {
  const tokens = tokensOf(await stranger.sign());
  const before = provider.requests;
  expect((await failureOf(() => exchange().obtain(loggedIn(ana, tokens)))).code).toBe('token_exchange_refused');
  expect([asked.length, provider.requests - before]).toEqual([2, 1]);
});

it('another one that is not taken either is the end of it', async () => {
  const tokens = tokensOf(await stranger.sign({ sub: 'one' }), await stranger.sign({ sub: 'two' }), await issuer.sign());
  const before = provider.requests;
  expect((await failureOf(() => exchange().obtain(loggedIn(ana, tokens)))).code).toBe('token_exchange_refused');
  expect([asked.length, provider.requests - before]).toEqual([2, 2]);
});

// RFC 8693 section 2.2.2: "if either the subject_token or actor_token are invalid for any reason […] the value of the error parameter MUST be the invalid_request error code".
it.each([
  ['Invalid token', ['another', 2]],
  ['The subject_token has expired', ['another', 2]],
  ['Missing parameter: audience', ['token_exchange_refused', 1]],
  [undefined, ['token_exchange_refused', 1]],
])('invalid_request is about the token where the provider says so: %s', async (words, expected) => {
  const refused = await issuer.sign({ sub: 'refused' });
  const answering = async (url: string, init: RequestInit): Promise<Response> =>
    (init.body as URLSearchParams | string).toString().includes(refused) ? Response.json({ error: 'invalid_request', error_description: words }, { status: 400 }) : fetch(url, init);
  const obtained = exchange().obtain(loggedIn(ana, tokensBy(answering, refused, await issuer.sign({ sub: 'another' }))));
  const outcome = await textOf(obtained).then((value) => provider.granted.get(value ?? '')?.subject, (error: unknown) => (error as { code?: string }).code);
  expect([outcome, asked.length]).toEqual(expected);
});

it('for another refusal no token is refreshed', async () => {
  const { tokenUrl, clientId, clientSecret } = provider;
  const prepared = prepareExchange(completeExchange.parse({ type: 'on-behalf-of', tokenUrl, clientId, clientSecret, audience: 'https://unknown.example' }));
  expect((await failureOf(async () => prepared.obtain(loggedIn(ana, tokensOf(await issuer.sign()))) as Promise<never>)).code).toBe('token_exchange_refused');
  expect(asked.length).toBe(1);
});

it('what a caller came with, only the caller can bring another of', async () => {
  const before = provider.requests;
  const token = await stranger.sign();
  expect((await failureOf(() => exchange().obtain(withToken(token, tokensOf('unused'))))).code).toBe('token_exchange_refused');
  expect([asked.length, provider.requests - before]).toEqual([0, 1]);
});
