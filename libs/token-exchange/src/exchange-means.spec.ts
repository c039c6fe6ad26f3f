import { Secret } from '@gatehouse/sealing';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { atIdentityProvider, atTarget, type IdJagPair, startIdJagPair } from '../../../test/support/exchange-id-jag-pair.ts';
import { type ExchangeProvider, startExchangeProvider } from '../../../test/support/exchange-provider.ts';
import { startTokenIssuer, type TokenIssuer } from '../../../test/support/token-issuer.ts';
import { digestOf } from './digest-of.ts';
import { completeExchange } from './exchange-config.ts';
import { type PreparedExchange, prepareExchange } from './prepare-exchange.ts';
import { failureOf, loggedIn, textOf, tokensWithLogins, withToken } from './spec-support.ts';

/* What exchanges share with each other, whoever they are for. */

let issuer: TokenIssuer;
let provider: ExchangeProvider;
let pair: IdJagPair;

beforeAll(async () => {
  issuer = await startTokenIssuer();
  [provider, pair] = await Promise.all([startExchangeProvider(issuer), startIdJagPair()]);
});
afterAll(() => Promise.all([issuer.close(), provider.close(), pair.close()]));
afterEach(() => void vi.useRealTimers());

const acting = (more: object = {}): PreparedExchange =>
  prepareExchange(completeExchange.parse({ type: 'on-behalf-of', tokenUrl: provider.tokenUrl, clientId: provider.clientId, clientSecret: provider.clientSecret, actor: 'client', ...more }));
const grantedTo = (value: string | undefined) => provider.granted.get(value ?? '');

it('the token of the client that acts is one for all', async () => {
  const tokens = tokensWithLogins();
  const before = provider.requests;
  for (const sub of ['ana', 'ben', 'eve']) {
    const value = await textOf(acting().obtain(withToken(await issuer.sign({ sub }), tokens)));
    expect(grantedTo(value)).toMatchObject({ subject: sub, actor: provider.clientId });
  }
  expect(provider.requests - before).toBe(4);
});

it('one that the provider takes no more is replaced', async () => {
  // Before there are tokens, which take their clock from there.
  vi.useFakeTimers({ toFake: ['Date'] });
  const tokens = tokensWithLogins();
  const name = digestOf({ tokenUrl: provider.tokenUrl, clientId: provider.clientId, clientSecret: new Secret(provider.clientSecret) });
  await tokens.ofClient(name, () => Promise.resolve({ value: new Secret('revoked'), expiresAt: undefined, subjects: [] }));
  const context = withToken(await issuer.sign(), tokens);
  vi.setSystemTime(Date.now() + 6_000);
  expect(grantedTo(await textOf(acting().obtain(context)))).toMatchObject({ actor: provider.clientId });
});

it('a subject that is refused costs no token of the client’s with each call', async () => {
  const other = await startTokenIssuer();
  const tokens = tokensWithLogins();
  const before = provider.requests;
  for (const sub of ['ana', 'ben']) expect((await failureOf(async () => acting().obtain(withToken(await other.sign({ sub }), tokens)) as Promise<never>)).code).toBe('token_exchange_refused');
  expect(provider.requests - before).toBe(3);
  await other.close();
});

it('a client that is refused is said as any refusal is', async () => {
  const token = await issuer.sign();
  expect((await failureOf(() => acting({ clientSecret: 'wrong' }).obtain(withToken(token, tokensWithLogins())))).code).toBe('token_exchange_refused');
});

it('where assertions are presented is found once for all who call within a minute', async () => {
  const people = ['01919e1c-0000-7000-8000-00000000a0a0', '01919e1c-0000-7000-8000-00000000b0b0', '01919e1c-0000-7000-8000-00000000c0c0'];
  const logins = Object.fromEntries(await Promise.all(people.map(async (person) => [person, { 'id-token': await pair.idToken(person) }] as const)));
  const fetched: string[] = [];
  const tokens = tokensWithLogins(logins, (url) => void (url.includes('/.well-known/') && fetched.push(url)));
  const exchange = prepareExchange(completeExchange.parse({ type: 'on-behalf-of', tokenUrl: pair.identityProvider.tokenUrl, ...atIdentityProvider, grant: 'id-jag', audience: pair.target.issuer, target: atTarget }));
  const [first = '', second = '', third = ''] = people;
  await Promise.all([first, second].map((person) => textOf(exchange.obtain(loggedIn(person, tokens)))));
  expect(fetched).toHaveLength(1);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  await textOf(exchange.obtain(loggedIn(third, tokens)));
  expect(fetched).toHaveLength(2);
});
