import { outboundHeaderRecipes } from '@gatehouse/outbound-headers';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { logIn, publicOrigin } from '../../apps/control-plane/src/spec-support/use-login.ts';
import { startLoginExchange } from '../support/exchange-for-logins.ts';
import type { ExchangeProvider } from '../support/exchange-provider.ts';
import { linkIn, useGateway } from '../support/use-gateway.ts';

/* A second credential, from the recipe and the REST API to what the upstream gets. */

const gateway = useGateway({ refreshTokens: true });
let exchange: ExchangeProvider;
beforeAll(async () => {
  exchange = await startLoginExchange(gateway.provider);
  await Promise.all([
    gateway.send('POST', '/credentials', { name: 'search-key', scope: 'workspace', value: 'of-the-workspace' }),
    gateway.send('POST', '/credentials', { name: 'own-key', title: 'own key', scope: 'user' }),
  ]);
});
afterAll(() => exchange?.close());

let names = 0;
/** A server that people call, with app authentication of its own, and headers beside it. */
async function serve(outboundHeaders: readonly object[], more: object = {}): Promise<string> {
  const name = `upstream-${(names += 1)}`;
  await gateway.serve({ name, agentAuth: { type: 'interactive' }, appAuth: { type: 'bearer', token: 'of-the-app' }, outboundHeaders, ...more });
  return name;
}
/** A header as someone makes it of a recipe. */
function headerOf(id: string, { source = {}, ...more }: { readonly source?: object; readonly [field: string]: unknown } = {}): object {
  const recipe = outboundHeaderRecipes.find((candidate) => candidate.id === id);
  if (!recipe) throw new Error(`no recipe ${id}`);
  return { name: 'X-Second', ...recipe.header, ...more, source: { ...recipe.header.source, ...source } };
}
const client = () => ({ tokenUrl: exchange.tokenUrl, clientId: exchange.clientId, clientSecret: exchange.clientSecret });
/** What the upstream got of one call of each. */
async function seenOf(server: string, logins: readonly string[], name = 'x-second'): Promise<(string | undefined)[]> {
  // Each has one agent, let in at one login.
  const authorizations = new Map<string, string>();
  for (const login of new Set(logins)) authorizations.set(login, await gateway.authorizationOf(login, server));
  for (const login of logins) expect(await gateway.call(server, { authorization: authorizations.get(login) ?? '', [name]: 'forged', [name.replaceAll('-', '_')]: 'forged' })).toMatchObject({ status: 200 });
  // Whatever goes along, the upstream is called as the app.
  expect(gateway.sent()).toEqual(logins.map(() => 'Bearer of-the-app'));
  return gateway.sent(name);
}
const subjectOf = async (token: string | undefined): Promise<unknown> => ((await (await fetch(`${gateway.provider.issuer}/me`, { headers: { Authorization: token ?? '' } })).json()) as { sub?: string }).sub;

describe('P11 additional outbound headers, on top of app authentication', () => {
  it('P11 an OAuth2 service token: fetched once, the same for everyone', async () => {
    const server = await serve([headerOf('service-token', { source: client() })]);
    const before = exchange.requests;
    const [anas, bens] = await seenOf(server, ['ana', 'ben']);
    expect(anas).toMatch(/^Bearer \S{20,}$/);
    expect([bens, exchange.requests - before]).toEqual([anas, 1]);
  });

  it('P11 the caller’s token: that of each one’s own login', async () => {
    const seen = await seenOf(await serve([headerOf('caller-token')]), ['ana', 'ben']);
    expect(await Promise.all(seen.map(subjectOf))).toEqual(['ana', 'ben']);
  });

  it('P11 on behalf of the caller: what another provider gives for each of them', async () => {
    const server = await serve([headerOf('on-behalf-of', { source: { ...client(), audience: 'https://inventory.example', scopes: ['read'] } })]);
    const seen = await seenOf(server, ['ana', 'ben', 'ana']);
    expect(seen.map((value) => exchange.granted.get(value?.replace(/^Bearer /, '') ?? ''))).toMatchObject(['ana', 'ben', 'ana'].map((subject) => ({ subject, audience: 'https://inventory.example' })));
    expect(seen[2]).toBe(seen[0]);
  });

  it('P11 a stored credential, of the workspace', async () => {
    expect(await seenOf(await serve([headerOf('credential', { source: { name: 'search-key' } })]), ['ana', 'ben'])).toEqual(['of-the-workspace', 'of-the-workspace']);
  });

  it('P11 a stored credential, each person’s own, which they are asked for', async () => {
    const server = await serve([headerOf('credential', { prefix: 'Key', source: { name: 'own-key', scope: 'user' } })]);
    for (const login of ['ana', 'ben']) {
      const asked = await gateway.call(server, { authorization: await gateway.authorizationOf(login, server) });
      const browser = gateway.browser();
      await logIn(browser, login);
      await browser.submit(await browser.open(linkIn(asked)), { value: `of-${login}` });
    }
    expect(await seenOf(server, ['ana', 'ben'])).toEqual(['Key of-ana', 'Key of-ben']);
  });

  it('P11 the caller’s identity: email, id, name, another claim', async () => {
    const claims = ['email', 'sub', 'name'].map((claim) => headerOf('caller-identity', { name: `X-${claim}`, source: { claim } }));
    const server = await serve(claims);
    const emails = await seenOf(server, ['ana', 'ben'], 'x-email');
    expect([emails, gateway.sent('x-name')[1]]).toEqual([['ana@corp.example', 'ben@corp.example'], 'Ben']);
    const people = await gateway.query<{ id: string }>('select id from people where subject in ($1, $2) order by subject', ['ana', 'ben']);
    expect(gateway.sent('x-sub')).toEqual(people.map(({ id }) => id));
  });

  it('P11 a custom header: a fixed value, or a header of the request', async () => {
    const headers = [headerOf('custom', { prefix: 'Key', source: { value: 'fixed' } }), { name: 'X-Org', source: { type: 'request-header', name: 'X-Tenant' } }];
    const server = await serve(headers);
    const authorization = await gateway.authorizationOf('ana', server);
    expect((await gateway.call(server, { authorization, 'X-Tenant': 'acme' })).status).toBe(200);
    expect([gateway.sent('x-second'), gateway.sent('x-org'), gateway.sent('x-tenant')]).toEqual([['Key fixed'], ['acme'], [undefined]]);
  });

  it('P11 any number of them, in every document that names them, and none of their secrets to be read', async () => {
    const headers = Array.from({ length: 50 }, (_, index) => ({ name: `X-Header-${index}`, source: { type: 'static', value: `value-${index}` } }));
    const server = await serve(headers);
    await seenOf(server, ['ana']);
    expect(headers.map(({ name }) => gateway.sent(name)[0])).toEqual(headers.map(({ source: { value } }) => value));
    expect((await gateway.send('GET', `/servers/${server}`)).text).not.toContain('value-1');
  });

  it('P11 one that is required and has no value fails the call; one that is not is left out', async () => {
    const source = { type: 'caller-identity', claim: 'department' };
    const server = await serve([{ name: 'X-Second', source }]);
    const authorization = await gateway.authorizationOf('ana', server);
    expect(await gateway.call(server, { authorization })).toMatchObject({ status: 403, code: 'claim_missing' });
    expect(gateway.upstream.requests).toEqual([]);
    expect(await seenOf(await serve([{ name: 'X-Second', required: false, source }]), ['ana'])).toEqual([undefined]);
  });
});

describe('P27 the caller’s identity, signed', () => {
  const keySet = (): ReturnType<typeof createRemoteJWKSet> => createRemoteJWKSet(new URL('/.well-known/jwks.json', gateway.plane.url));
  const verify = (token: string | undefined, audience = gateway.upstream.origin) => jwtVerify(token ?? '', keySet(), { issuer: publicOrigin, audience, typ: 'caller-identity+jwt', algorithms: ['ES256'] });

  it('P27 is verified with the gateway’s published keys: who calls, through which agent, for whom, for a minute', async () => {
    const server = await serve([headerOf('caller-identity', { source: { claim: undefined, signed: true } })]);
    const tokens = await seenOf(server, ['ana', 'ben'], 'x-user-email');
    const [anas, bens] = await Promise.all(tokens.map(async (token) => (await verify(token)).payload));
    expect([anas, bens]).toMatchObject([
      { email: 'ana@corp.example', groups: ['sales', 'platform'], idp: 'corp', act: { sub: expect.any(String) as string }, aud: gateway.upstream.origin },
      { email: 'ben@corp.example', groups: ['support'] },
    ]);
    expect((anas?.exp ?? 0) - (anas?.iat ?? 0)).toBe(60);
    expect(anas?.sub).not.toBe(bens?.sub);
  });

  it('P27 is nobody else’s: changed, or for another upstream, it is refused', async () => {
    const server = await serve([{ name: 'X-Caller', source: { type: 'caller-identity', signed: true, audience: 'inventory' } }]);
    const [token = ''] = await seenOf(server, ['ana'], 'x-caller');
    await expect(verify(token)).rejects.toBeInstanceOf(errors.JWTClaimValidationFailed);
    await verify(token, 'inventory');
    const [head, payload = '', signature] = token.split('.');
    const changed = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('ana@corp.example', 'ben@corp.example')).toString('base64url');
    await expect(verify([head, changed, signature].join('.'), 'inventory')).rejects.toBeInstanceOf(errors.JWSSignatureVerificationFailed);
  });

  it('P27 with a key that somebody else may have, replaced, nothing is verified any more; callers are signed for with the new one', async () => {
    const server = await serve([{ name: 'X-Caller', source: { type: 'caller-identity', signed: true } }]);
    const authorization = await gateway.authorizationOf('ana', server);
    const seen = async (): Promise<string | undefined> => {
      gateway.upstream.requests.length = 0;
      await gateway.call(server, { authorization });
      return gateway.sent('x-caller')[0];
    };
    const before = await seen();
    await verify(before);
    expect((await gateway.plane.send('POST', '/v1/identity-keys/rotate')).status).toBe(200);
    await expect(verify(before)).rejects.toBeInstanceOf(errors.JWKSNoMatchingKey);
    await vi.waitFor(async () => verify(await seen()), { timeout: 10_000 });
  });
});
