import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EntraLike, startEntraLike } from '../../../test/support/exchange-entra-like.ts';
import { type IdJagPair, startIdJagPair } from '../../../test/support/exchange-id-jag-pair.ts';
import { type ExchangeProvider, startExchangeProvider } from '../../../test/support/exchange-provider.ts';
import { startTokenIssuer, type TokenIssuer } from '../../../test/support/token-issuer.ts';
import { completeExchange } from './exchange-config.ts';
import { type PreparedExchange, prepareExchange } from './prepare-exchange.ts';
import { failureOf, loggedIn, textOf, tokensWithLogins, withToken } from './spec-support.ts';

const ana = '01919e1c-0000-7000-8000-00000000a0a0';
let issuer: TokenIssuer;
let provider: ExchangeProvider;
let entra: EntraLike;
let pair: IdJagPair;

beforeAll(async () => {
  issuer = await startTokenIssuer();
  [provider, entra, pair] = await Promise.all([startExchangeProvider(issuer), startEntraLike(issuer), startIdJagPair()]);
});
afterAll(() => Promise.all([issuer.close(), provider.close(), entra.close(), pair.close()]));

const prepared = (config: object): PreparedExchange => prepareExchange(completeExchange.parse({ type: 'on-behalf-of', ...config }));
const at = ({ tokenUrl, clientId, clientSecret }: ExchangeProvider, more: object = {}): PreparedExchange => prepared({ tokenUrl, clientId, clientSecret, ...more });

describe('RFC 8693', () => {
  const audience = 'https://orders.example';

  it('gives a token of the caller’s for another audience, with what is asked for', async () => {
    const resource = 'https://orders.example/mcp';
    const value = await textOf(at(provider, { audience, resource, scopes: ['read', 'write'] }).obtain(withToken(await issuer.sign({ sub: 'ana' }), tokensWithLogins())));
    expect(provider.granted.get(value ?? '')).toEqual({ subject: 'ana', clientId: provider.clientId, audience, resource, scope: 'read write' });
  });

  it('of people exchanges what their identity provider gave, and of others what they came with', async () => {
    const tokens = tokensWithLogins({ [ana]: { 'access-token': await issuer.sign({ sub: 'ana-at-corp' }) } });
    const exchange = at(provider);
    const values = [await textOf(exchange.obtain(loggedIn(ana, tokens))), await textOf(exchange.obtain(withToken(await issuer.sign({ sub: 'ben' }), tokens)))];
    expect(values.map((value) => provider.granted.get(value ?? '')?.subject)).toEqual(['ana-at-corp', 'ben']);
  });

  it.each<[string, object, string]>([
    ['the gateway’s own client', { actor: 'client' }, 'gatehouse-exchanger'],
    ['another', { actor: { tokenType: 'urn:ietf:params:oauth:token-type:jwt' } }, 'agent-1'],
  ])('names who acts: %s (section 1.1)', async (_name, { actor }: { actor?: unknown }, expected) => {
    const named = typeof actor === 'object' ? { ...actor, token: await issuer.sign({ sub: 'agent-1' }) } : actor;
    const value = await textOf(at(provider, { actor: named }).obtain(withToken(await issuer.sign(), tokensWithLogins())));
    expect(provider.granted.get(value ?? '')).toMatchObject({ subject: 'ana', actor: expected });
  });

  it.each<[string, object | undefined, string | undefined, number]>([
    ['somebody else', { sub: 'agent-2' }, 'token_exchange_refused', 0],
    ['another issuer’s', { sub: 'agent-1', iss: 'https://other.example' }, 'token_exchange_refused', 0],
    ['the actor', { sub: 'agent-1' }, undefined, 1],
    ['nobody', undefined, undefined, 1],
  ])('asks for nothing where may_act of the subject names %s (section 4.4)', async (_name, may_act, code, requests) => {
    const actor = { token: await issuer.sign({ sub: 'agent-1' }) };
    const before = provider.requests;
    const context = withToken(await issuer.sign({ may_act }), tokensWithLogins());
    expect((await failureOf(() => at(provider, { actor }).obtain(context))).code).toBe(code);
    expect(provider.requests - before).toBe(requests);
  });

  it('what is refused is said by its code, and what to check; the provider’s words are for the log, without tokens', async () => {
    const token = await issuer.sign();
    const failure = await failureOf(() => at(provider, { audience: 'https://unknown.example' }).obtain(withToken(token, tokensWithLogins())));
    expect(failure.code).toBe('token_exchange_refused');
    expect(failure.publicMessage).toContain('status 400: invalid_target (check audience and resource)');
    expect(failure.detail).toContain('invalid_target: no such audience');
    expect(JSON.stringify([failure.publicMessage, failure.message])).not.toContain(token);
  });

  it.each<[string, object, string]>([
    ['a wrong secret', { clientSecret: 'wrong' }, 'token_exchange_refused'],
    ['a token of nobody that is trusted', {}, 'token_exchange_refused'],
    ['an address where nothing answers', { tokenUrl: 'http://127.0.0.1:1/token' }, 'provider_unavailable'],
  ])('there is none for %s', async (_name, more, code) => {
    const other = await startTokenIssuer();
    expect((await failureOf(async () => at(provider, more).obtain(withToken(await other.sign(), tokensWithLogins())) as Promise<never>)).code).toBe(code);
    await other.close();
  });
});

describe('calls', () => {
  it('of ten users, a thousand at once, cause ten exchanges', async () => {
    const tokens = tokensWithLogins();
    const exchange = at(provider);
    const users = await Promise.all(Array.from({ length: 10 }, (_, index) => issuer.sign({ sub: `user-${index}` })));
    const before = provider.exchanges;
    const values = await Promise.all(Array.from({ length: 1_000 }, (_, call) => textOf(exchange.obtain(withToken(users[call % 10] as string, tokens)))));
    expect(provider.exchanges - before).toBe(10);
    for (const [call, value] of values.entries()) expect(provider.granted.get(value ?? '')?.subject).toBe(`user-${call % 10}`);
  });

  it('of two servers with one configuration share their tokens, and of another configuration do not', async () => {
    const tokens = tokensWithLogins();
    const context = withToken(await issuer.sign(), tokens);
    const [first, same, scoped] = [at(provider), at(provider), at(provider, { scopes: ['read'] })];
    const values = [await textOf(first.obtain(context)), await textOf(same.obtain(context)), await textOf(scoped.obtain(context))];
    expect([values[0] === values[1], values[0] === values[2]]).toEqual([true, false]);
  });

  it('after a change of nothing but the secret are asked for anew', async () => {
    const tokens = tokensWithLogins();
    const context = withToken(await issuer.sign(), tokens);
    await textOf(at(provider).obtain(context));
    expect((await failureOf(() => at(provider, { clientSecret: 'another' }).obtain(context))).code).toBe('token_exchange_refused');
  });

  it('after a revocation of the login are asked for anew', async () => {
    const tokens = tokensWithLogins({ [ana]: { 'access-token': await issuer.sign() } });
    const exchange = at(provider);
    const before = await textOf(exchange.obtain(loggedIn(ana, tokens)));
    tokens.forget(new Set([`login-of-${ana}`]));
    expect(await textOf(exchange.obtain(loggedIn(ana, tokens)))).not.toBe(before);
  });

  it('with a token that has expired get none', async () => {
    const before = provider.requests;
    expect((await failureOf(() => at(provider).obtain(withToken('expired', tokensWithLogins(), -1)))).code).toBe('subject_token_expired');
    expect(provider.requests).toBe(before);
  });
});

describe('who has no token that stands for them', () => {
  it.each(['caller-token', 'identity-provider-token', undefined])('gets none: %s', async (subject) => {
    const tokens = tokensWithLogins();
    const ci = { caller: { id: 'service-account:ci', kind: 'service-account', name: 'ci', groups: [] } as const, tokens };
    expect(await at(provider, { subject }).obtain(ci)).toBeUndefined();
    expect(await at(provider, { subject }).obtain({ tokens })).toBeUndefined();
  });

  it('does not get one by the other’s way', async () => {
    const tokens = tokensWithLogins();
    expect(await at(provider, { subject: 'identity-provider-token' }).obtain(withToken(await issuer.sign(), tokens))).toBeUndefined();
    expect(await at(provider, { subject: 'caller-token' }).obtain(loggedIn(ana, tokens))).toBeUndefined();
  });
});

describe('RFC 7523 as Microsoft Entra has it', () => {
  const scopes = ['https://graph.example/.default'];
  const exchange = (): PreparedExchange => at(entra, { grant: 'jwt-bearer', clientAuth: 'post', scopes });

  it('gives a token for the next API', async () => {
    const value = await textOf(exchange().obtain(withToken(await issuer.sign({ aud: entra.clientId }), tokensWithLogins())));
    expect(entra.granted.get(value ?? '')).toMatchObject({ subject: 'ana', scope: scopes[0] });
  });

  it('takes only tokens that were meant for this client', async () => {
    const failure = await failureOf(async () => exchange().obtain(withToken(await issuer.sign({ aud: 'another' }), tokensWithLogins())) as Promise<never>);
    expect(failure.code).toBe('token_exchange_refused');
    expect([failure.detail, failure.publicMessage]).toEqual([expect.stringContaining('AADSTS500131'), expect.not.stringContaining('AADSTS500131')]);
  });

  it('says where a person has to do something first', async () => {
    entra.requireInteraction('eve');
    const failure = await failureOf(async () => exchange().obtain(withToken(await issuer.sign({ sub: 'eve', aud: entra.clientId }), tokensWithLogins())) as Promise<never>);
    expect(failure.publicMessage).toContain('interaction_required');
  });
});

describe('RFC 9449: a provider that binds tokens to a key', () => {
  it('gives one that has its key with it, and refuses whoever proves none', async () => {
    const binding = await startExchangeProvider(issuer, { nonce: 'nonce-of-the-provider' });
    const config = completeExchange.parse({ type: 'on-behalf-of', tokenUrl: binding.tokenUrl, clientId: binding.clientId, clientSecret: binding.clientSecret });
    const context = withToken(await issuer.sign(), tokensWithLogins());
    const token = await prepareExchange(config, true).obtain(context);
    expect([binding.requests, binding.granted.get(token?.value.reveal() ?? '')?.key]).toEqual([2, expect.any(String)]);
    expect(token?.key).toBeDefined();
    const failure = await failureOf(() => prepareExchange(config).obtain({ ...context, tokens: tokensWithLogins() }));
    expect(failure).toMatchObject({ code: 'token_exchange_refused', publicMessage: expect.stringContaining('dpop: true') as string });
    await binding.close();
  });
});

describe('ID-JAG', () => {
  const target = { clientId: 'gatehouse-at-the-target', clientSecret: 'client-secret-at-the-target-0123456789' };
  const exchange = (more: object = {}): PreparedExchange => at(pair.identityProvider, { grant: 'id-jag', audience: pair.target.issuer, resource: 'https://orders.example/mcp', scopes: ['read'], target, ...more });
  const tokensOfAna = async () => tokensWithLogins({ [ana]: { 'id-token': await pair.idToken('ana') } });

  it.each<[string, () => object]>([
    ['which is found where its issuer is', () => ({})],
    ['which is configured', () => ({ target: { ...target, tokenUrl: pair.target.tokenUrl } })],
  ])('gives a token of an authorization server that trusts the identity provider, %s', async (_name, more) => {
    const value = await textOf(exchange(more()).obtain(loggedIn(ana, await tokensOfAna())));
    expect(pair.target.granted.get(value ?? '')).toEqual({ subject: 'ana', clientId: target.clientId, scope: 'read', resource: 'https://orders.example/mcp' });
  });

  it('an assertion is made for each token: none is presented twice', async () => {
    const context = loggedIn(ana, await tokensOfAna());
    const first = await context.tokens?.ofLogin({ id: 'x', connectionKey: 'x' }, { person: ana }, 'id-token');
    expect(first).toBeDefined();
    const one = exchange();
    const token = await one.obtain(context);
    expect(await textOf(one.obtain({ ...context, refused: { token: token as Awaited<typeof token> & object, again: false } }))).not.toBe(await textOf(token));
  });

  it.each<[string, () => object]>([
    ['a client that the assertion is not for', () => ({ target: { clientId: 'gatehouse-elsewhere', clientSecret: 'wrong' } })],
    ['an issuer that the identity provider does not know', () => ({ audience: pair.identityProvider.issuer })],
    ['a place where there is no authorization server', () => ({ audience: `${issuer.url}/nothing` })],
    ['a token endpoint that knows no such grant', () => ({ target: { ...target, tokenUrl: provider.tokenUrl } })],
  ])('there is none for %s', async (_name, more) => {
    const tokens = await tokensOfAna();
    expect((await failureOf(() => exchange(more()).obtain(loggedIn(ana, tokens)))).code).toBe('token_exchange_refused');
  });

  it('the client’s secret is shown to no other server, whatever token endpoint is found', async () => {
    const tokens = await tokensOfAna();
    const before = [pair.target.requests, pair.identityProvider.exchanges];
    expect((await failureOf(() => exchange({ target: undefined }).obtain(loggedIn(ana, tokens)))).code).toBe('token_exchange_refused');
    expect([pair.target.requests, pair.identityProvider.exchanges]).toEqual(before);
  });

  it('an access token in place of the assertion is not presented anywhere', async () => {
    const before = pair.target.requests;
    const tokens = tokensWithLogins({ [ana]: { 'id-token': await issuer.sign() } });
    const config = { tokenUrl: provider.tokenUrl, clientId: provider.clientId, clientSecret: provider.clientSecret, grant: 'id-jag', audience: 'https://orders.example', subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt', target: { ...target, tokenUrl: pair.target.tokenUrl } };
    expect((await failureOf(() => prepared(config).obtain(loggedIn(ana, tokens)))).code).toBe('token_exchange_refused');
    expect(pair.target.requests).toBe(before);
  });
});
