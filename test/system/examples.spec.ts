import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writableServer } from '@gatehouse/gateway-config';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { publicOrigin } from '../../apps/control-plane/src/spec-support/use-login.ts';
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts';
import { headerPairs } from '../support/recording-upstream.ts';
import { linkIn, useGateway } from '../support/use-gateway.ts';

const gateway = useGateway({ refreshTokens: true });

/** Whose access token this is, as its provider says. */
async function subjectOf(provider: Pick<IdentityProvider, 'issuer'>, authorization: string | undefined): Promise<unknown> {
  const response = await fetch(`${provider.issuer}/me`, { headers: { Authorization: authorization ?? '' } });
  return response.status === 200 ? ((await response.json()) as { sub: string }).sub : response.status;
}

describe('P12 example 1: Gmail from an MCP client', () => {
  const gmailScope = 'https://www.googleapis.com/auth/gmail.modify';
  let google: IdentityProvider;
  beforeAll(async () => {
    google = await startIdentityProvider({
      redirectUris: [`${publicOrigin}/connect/callback/default/google`], refreshTokens: true, claimsInIdToken: true, moreScopes: [gmailScope],
      people: [{ subject: 'ana-at-gmail', email: 'ana@gmail.example' }, { subject: 'ben-at-gmail', email: 'ben@gmail.example' }],
    });
    const { issuer, clientId, clientSecret } = google;
    const places = { issuer, authorizationUrl: `${issuer}/auth`, tokenUrl: `${issuer}/token`, revocationUrl: `${issuer}/token/revocation`, clientAuth: 'post' };
    await gateway.applyExample('gmail', { GOOGLE_CLIENT_ID: clientId, GOOGLE_CLIENT_SECRET: clientSecret }, (kind) => (kind === 'App' ? places : { upstream: { url: gateway.upstream.url } }));
  });
  afterAll(() => google?.close());

  it('each person logs in, agrees once at Google, and calls as themselves', async () => {
    for (const login of ['ana', 'ben'] as const) {
      const authorization = await gateway.authorizationOf(login, 'gmail');
      const asked = await gateway.call('gmail', { authorization });
      const browser = gateway.browser();
      const consent = await browser.submit(await browser.submit(await browser.open(linkIn(asked)), { login }));
      expect(consent.url.origin).toBe(google.issuer);
      const asking = new URL(browser.visited.find((url) => url.startsWith(`${google.issuer}/auth?`)) ?? '').searchParams;
      expect([asking.get('access_type'), asking.get('prompt'), asking.get('scope')?.split(' ').toSorted()]).toEqual(['offline', 'consent', ['email', gmailScope, 'openid']]);
      expect((await browser.submit(consent, { login: `${login}-at-gmail` })).text).toContain('return to your chat');

      expect((await gateway.call('gmail', { authorization })).status).toBe(200);
    }
    expect(await Promise.all(gateway.sent().map((value) => subjectOf(google, value)))).toEqual(['ana-at-gmail', 'ben-at-gmail']);
  });

  it('nobody who has not logged in is let in', async () => {
    expect((await gateway.call('gmail')).status).toBe(401);
    expect(gateway.upstream.requests).toEqual([]);
  });
});

describe('P12 example 2: a nightly script with an API key', () => {
  beforeAll(() => gateway.applyExample('nightly-script', { DATADOG_API_KEY: 'the-key-of-datadog' }, () => ({ upstream: { url: gateway.upstream.url } })));

  it('the script sends nothing special, and every request has the key', async () => {
    for (const headers of [{}, {}, { 'DD-API-KEY': 'forged', DD_API_KEY: 'forged', authorization: 'Bearer forged' }]) expect((await gateway.call('datadog', headers)).status).toBe(200);
    expect(gateway.sent('dd-api-key')).toEqual(['the-key-of-datadog', 'the-key-of-datadog', 'the-key-of-datadog']);
    expect(JSON.stringify(gateway.upstream.requests.map((request) => headerPairs(request)))).not.toContain('forged');
  });

  it('says that whoever reaches it uses the key, and shows the key to nobody', async () => {
    const { body, text } = await gateway.send<{ warnings: { code: string }[] }>('GET', '/servers/datadog');
    expect(body.warnings.map(({ code }) => code)).toEqual(['open_server']);
    expect(text).not.toContain('the-key-of-datadog');
  });
});

describe('P12 example 3: a search service that wants its key and the user’s token', () => {
  beforeAll(() => gateway.applyExample('search-with-two-credentials', { SEARCH_KEY: 'the-key-of-the-service' }, () => ({ upstream: { url: gateway.upstream.url } })));

  it('gets the service’s key, and beside it the token of each user’s login', async () => {
    for (const login of ['ana', 'ben'] as const) expect((await gateway.call('search', { authorization: await gateway.authorizationOf(login, 'search') })).status).toBe(200);
    expect(gateway.sent()).toEqual(['Bearer the-key-of-the-service', 'Bearer the-key-of-the-service']);
    const tokens = gateway.sent('x-ms-query-source-authorization');
    expect(tokens).toEqual([expect.stringMatching(/^Bearer \S+$/), expect.stringMatching(/^Bearer \S+$/)]);
    expect(await Promise.all(tokens.map((value) => subjectOf(gateway.provider, value)))).toEqual(['ana', 'ben']);
  });

  it('the agent’s own token goes nowhere, and no caller says whose documents are found', async () => {
    const authorization = await gateway.authorizationOf('ben', 'search');
    await gateway.call('search', { authorization, 'x-ms-query-source-authorization': 'Bearer forged', x_ms_query_source_authorization: 'forged' });
    expect(await subjectOf(gateway.provider, gateway.sent('x-ms-query-source-authorization')[0])).toBe('ben');
    const everything = JSON.stringify(gateway.upstream.requests.map((request) => [headerPairs(request), request.body.toString()]));
    expect(everything).not.toContain('forged');
    expect(everything).not.toContain(authorization.slice('Bearer '.length));
  });

  it('who has no login any more logs in again: nothing is sent with half of the credentials', async () => {
    gateway.provider.put({ subject: 'cleo', email: 'cleo@corp.example', emailVerified: true });
    const authorization = await gateway.authorizationOf('cleo', 'search');
    await gateway.query(`delete from connections where person_id = (select id from people where subject = 'cleo')`);
    expect(await gateway.call('search', { authorization })).toMatchObject({ status: 403, code: 'subject_token_missing' });
    expect(gateway.upstream.requests).toEqual([]);
    const again = await gateway.authorizationOf('cleo', 'search');
    expect((await gateway.call('search', { authorization: again })).status).toBe(200);
  });
});

describe('a REST API as tools', () => {
  beforeAll(() => gateway.applyExample('orders-api', { ORDERS_KEY: 'the-key-of-the-api' }, () => ({ upstream: { url: `${gateway.upstream.origin}/v2` } })));

  it('P32 a person’s agent calls a tool under its new name, and the API gets the request and the key', async () => {
    gateway.upstream.handle((_request, response) => void response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":"o-1"}'));
    const authorization = await gateway.authorizationOf('ana', 'orders-api');
    const answer = await gateway.call('orders-api', { authorization }, { name: 'order', arguments: { item: 'tea', quantity: 2 } });
    expect(answer, answer.text).toMatchObject({ status: 200, text: expect.stringContaining('o-1') as string });
    expect(gateway.upstream.requests.map((request) => [request.method, request.url, request.body.toString(), headerPairs(request, 'x-api-key'), headerPairs(request, 'authorization')])).toEqual([
      ['POST', '/v2/orders', '{"item":"tea","quantity":2}', [['X-API-Key', 'the-key-of-the-api']], []],
    ]);
  });

  it.each(['createOrder', 'cancelOrder'])('there is no tool %s', async (name) => {
    const authorization = await gateway.authorizationOf('ana', 'orders-api');
    expect((await gateway.call('orders-api', { authorization }, { name, arguments: { orderId: 'o-1' } })).text).toContain('Unknown tool');
    expect(gateway.upstream.requests).toEqual([]);
  });
});

describe('limits of calls', () => {
  let key: string;
  beforeAll(async () => {
    await gateway.applyExample('limits.yaml', { BILLING_TOKEN: 'the-token-of-billing' }, () => ({ upstream: { url: gateway.upstream.url } }));
    key = (await gateway.send<{ key: string }>('POST', '/service-accounts', { name: 'caller-of-billing' })).body.key;
  });

  it('hold as they are written, and are read as they were', async () => {
    const written = parse(readFileSync(fileURLToPath(new URL('../../examples/limits.yaml', import.meta.url)), 'utf8')) as { limits: object };
    expect((await gateway.send('GET', '/servers/billing')).body['limits']).toEqual(written.limits);
    const call = (name: string) => gateway.call('billing', { 'x-gatehouse-key': key }, { name, arguments: {} });
    await vi.waitFor(async () => expect((await call('find')).status).toBe(200), { timeout: 20_000 });
    const codes: (string | undefined)[] = [];
    for (let count = 0; count < 6; count += 1) codes.push((await call('delete_invoice')).code);
    expect(codes).toEqual([undefined, undefined, undefined, undefined, undefined, 'rate_limited']);
    expect((await call('delete_customer')).code).toBeUndefined();
  });

  it('that are none are refused, by field', async () => {
    const { body: server } = await gateway.send('GET', '/servers/billing');
    const limits = { rates: [{ per: 'caller', calls: 0, seconds: 60, tools: ['x'] }], concurrentCalls: { server: 'many' } };
    const reply = await gateway.send<{ errors: { pointer: string }[] }>('PUT', '/servers/billing', { ...server, limits });
    expect([reply.status, reply.body.errors.map(({ pointer }) => pointer)]).toEqual([422, ['/limits/rates/0/calls', '/limits/rates/0/tools', '/limits/concurrentCalls/server']]);
  });
});

describe('what READMEs of examples show', () => {
  const root = fileURLToPath(new URL('../../examples/', import.meta.url));
  const folders = readdirSync(root).filter((name) => !name.includes('.'));

  it.each(folders.map((folder) => [folder]))('examples/%s: parts of servers can be put into them', (folder) => {
    const files = readdirSync(`${root}${folder}`);
    const server = parse(readFileSync(`${root}${folder}/server.yaml`, 'utf8')) as Record<string, unknown>;
    const readme = files.includes('README.md') ? readFileSync(`${root}${folder}/README.md`, 'utf8') : '';
    for (const [, yaml = ''] of readme.matchAll(/```yaml\n([\s\S]*?)```/g)) {
      const { kind: _kind, ...document } = { ...server, ...(parse(yaml) as object) };
      const written = JSON.parse(JSON.stringify(document).replaceAll(/\{"fromEnv":"\w+"\}/g, '"a-value"')) as object;
      expect(writableServer.safeParse(written).error?.issues).toBeUndefined();
    }
  });
});
