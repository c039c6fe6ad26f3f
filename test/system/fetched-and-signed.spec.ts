import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startLoginExchange } from '../support/exchange-for-logins.ts';
import { type ExchangeProvider, startExchangeProvider } from '../support/exchange-provider.ts';
import { type Sigv4Account, type Sigv4Gate, startSigv4Gate } from '../support/sigv4-gate.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import { useGateway } from '../support/use-gateway.ts';

/* Credentials that are made for the call, from the REST API to what the upstream gets. */

const gateway = useGateway({ refreshTokens: true });
/** Of callers who come with tokens of their own. */
let issuer: TokenIssuer;
/** Exchanges those, and what people got when they logged in. */
let provider: ExchangeProvider;
let logins: ExchangeProvider;
beforeAll(async () => {
  issuer = await startTokenIssuer();
  [provider, logins] = await Promise.all([startExchangeProvider(issuer), startLoginExchange(gateway.provider)]);
});
afterAll(async () => {
  await Promise.all([issuer?.close(), provider?.close(), logins?.close()]);
});

const clientOf = ({ tokenUrl, clientId, clientSecret }: ExchangeProvider) => ({ tokenUrl, clientId, clientSecret });
const validated = () => ({ type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url } });
const granted = (authority: ExchangeProvider) => gateway.sent().map((value) => authority.granted.get(value?.replace(/^Bearer /, '') ?? ''));

describe('P22 an upstream that wants OAuth client credentials', () => {
  it('gets one token of the gateway’s own with every call, and another one once it does not take that any more', async () => {
    await gateway.serve({ name: 'service', agentAuth: { type: 'passthrough' }, appAuth: { type: 'oauth-client-credentials', ...clientOf(logins), clientAuth: 'basic' } });
    const before = logins.requests;
    for (let call = 0; call < 3; call += 1) expect((await gateway.call('service')).status).toBe(200);
    const [first, ...others] = gateway.sent();
    expect([first, others, logins.requests - before]).toEqual([expect.stringMatching(/^Bearer \S{20,}$/), [first, first], 1]);
    expect((await gateway.send('GET', '/servers/service')).text).not.toContain(logins.clientSecret);
  });

  it('a secret that the provider does not take sends nothing', async () => {
    await gateway.serve({ name: 'wrong-service', agentAuth: { type: 'passthrough' }, appAuth: { type: 'oauth-client-credentials', ...clientOf(logins), clientSecret: 'another' } });
    expect(await gateway.call('wrong-service')).toMatchObject({ status: 502, code: 'credential_unavailable' });
    expect(gateway.upstream.requests).toEqual([]);
  });
});

describe('P22 an upstream that wants AWS Signature Version 4', () => {
  const account: Sigv4Account = { region: 'eu-central-1', service: 'execute-api', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: randomBytes(30).toString('base64') };
  let gate: Sigv4Gate;
  beforeAll(async () => {
    gate = await startSigv4Gate(account, gateway.upstream.origin);
  });
  afterAll(() => gate?.close());

  it('verifies every call: its body, its query, and the headers that go along', async () => {
    const outboundHeaders = [{ name: 'X-User-Email', source: { type: 'caller-identity', claim: 'email' } }, { name: 'X-Second', prefix: 'Bearer', source: { type: 'on-behalf-of', ...clientOf(logins) } }];
    await gateway.serve({ name: 'signed', agentAuth: { type: 'interactive' }, upstream: { url: `${gate.origin}/stage/mcp?tenant=a%20b&tenant=` }, appAuth: { type: 'aws-sigv4', ...account }, outboundHeaders });
    for (const login of ['ana', 'ben']) expect((await gateway.call('signed', { authorization: await gateway.authorizationOf(login, 'signed') })).status).toBe(200);
    expect([gate.admitted.length, gate.refused.length]).toEqual([2, 0]);
    expect(gate.admitted[0]).toMatchObject({ url: '/stage/mcp?tenant=a%20b&tenant=', signedHeaders: expect.arrayContaining(['x-second', 'x-user-email']) as string[] });
    expect(gateway.sent('x-user-email')).toEqual(['ana@corp.example', 'ben@corp.example']);
  });

  it('and so it does for the test of a server, with the stored key, which is shown to nobody', async () => {
    const { body, text } = await gateway.send<{ outcome: string }>('POST', '/servers/signed/discover');
    expect(text).not.toContain(account.secretAccessKey);
    expect(gate.refused).toEqual([]);
    expect(body).toBeDefined();
    await gateway.send('PATCH', '/servers/signed', { appAuth: { type: 'aws-sigv4', secretAccessKey: 'another' } });
    const authorization = await gateway.authorizationOf('ana', 'signed');
    await vi.waitFor(async () => expect((await gateway.call('signed', { authorization })).status).toBe(403));
    expect(gate.refused.length).toBeGreaterThan(0);
    expect((await gateway.send('GET', '/servers/signed')).text).not.toContain(account.secretAccessKey);
  });
});

describe('P25 on behalf of whoever calls', () => {
  it('P25 1,000 calls at once, of 10 callers: 10 exchanges, and each call is its caller’s', async () => {
    await gateway.serve({ name: 'busy', agentAuth: validated(), appAuth: { type: 'on-behalf-of', ...clientOf(provider), resource: 'https://busy.example' } });
    const callers = await Promise.all(Array.from({ length: 10 }, async (_, index) => ({ sub: `caller-${index}`, authorization: `Bearer ${await issuer.sign({ sub: `caller-${index}` })}` })));
    const before = provider.exchanges;
    const calls = Array.from({ length: 1_000 }, (_, index) => callers[index % callers.length] as (typeof callers)[number]);
    const answers = await Promise.all(calls.map(({ authorization }) => gateway.call('busy', { authorization })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(provider.exchanges - before).toBe(callers.length);
    const counts = new Map<string, number>();
    for (const token of granted(provider)) counts.set(token?.subject ?? '', (counts.get(token?.subject ?? '') ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual(Object.fromEntries(callers.map(({ sub }) => [sub, 100])));
  }, 60_000);

  it('P25 two tokens of one caller are two exchanges: what one was given for is not the other’s', async () => {
    const [first, second] = await Promise.all(['a', 'b'].map((jti) => issuer.sign({ sub: 'twice', jti })));
    for (const token of [first, second, first]) await gateway.call('busy', { authorization: `Bearer ${token}` });
    const [one, other, again] = gateway.sent();
    expect([one === other, one === again]).toEqual([false, true]);
  });

  it('P25 what the answer of a call shows is its own caller’s', async () => {
    const answers = await Promise.all(['kim', 'jo'].map(async (sub) => gateway.call('busy', { authorization: `Bearer ${await issuer.sign({ sub })}` })));
    const subjects = answers.map(({ text }) => [...provider.granted].find(([token]) => text.includes(token))?.[1].subject);
    expect(subjects).toEqual(['kim', 'jo']);
  });

  it('P25 never past the caller’s own expiry, however long the provider’s token lives', async () => {
    const authorization = `Bearer ${await issuer.sign({ sub: 'late', exp: Math.floor(Date.now() / 1000) + 3 })}`;
    expect((await gateway.call('busy', { authorization })).status).toBe(200);
    // Clocks may differ by more (clockToleranceSeconds), so that the caller itself is let in yet.
    await vi.waitFor(async () => expect(await gateway.call('busy', { authorization })).toMatchObject({ status: 401, code: 'subject_token_expired' }), { timeout: 10_000 });
  });

  it('P25 another configuration is another token, at once', async () => {
    await gateway.serve({ name: 'changing', agentAuth: { type: 'interactive' }, appAuth: { type: 'on-behalf-of', ...clientOf(logins), scopes: ['read'] } });
    const authorization = await gateway.authorizationOf('ana', 'changing');
    await gateway.call('changing', { authorization });
    expect((await gateway.send('PATCH', '/servers/changing', { appAuth: { type: 'on-behalf-of', scopes: ['write'] } })).status).toBe(200);
    await vi.waitFor(async () => {
      gateway.upstream.requests.length = 0;
      await gateway.call('changing', { authorization });
      expect(granted(logins)).toMatchObject([{ subject: 'ana', scope: 'write' }]);
    });
  });

  it('P25 with the login, what was exchanged for it is gone', async () => {
    const authorization = await gateway.authorizationOf('ben', 'changing');
    await gateway.call('changing', { authorization });
    const [before] = gateway.sent();
    const [{ id } = { id: '' }] = await gateway.query<{ id: string }>(`select id from people where subject = 'ben'`);
    expect((await gateway.plane.send('DELETE', `/v1/users/${id}/sessions`)).status).toBe(204);
    await vi.waitFor(async () => expect((await gateway.call('changing', { authorization })).status).toBe(401));
    const again = await gateway.authorizationOf('ben', 'changing');
    gateway.upstream.requests.length = 0;
    await vi.waitFor(async () => expect((await gateway.call('changing', { authorization: again })).status).toBe(200));
    expect(gateway.sent()[0]).not.toBe(before);
    expect(granted(logins)[0]).toMatchObject({ subject: 'ben' });
  });

  it('P25 a provider that refuses: its code and none of its words, what to check, and nothing sent', async () => {
    await gateway.serve({ name: 'refused', agentAuth: validated(), appAuth: { type: 'on-behalf-of', ...clientOf(provider), audience: 'https://unknown.example' } });
    const token = await issuer.sign();
    const answer = await gateway.call('refused', { authorization: `Bearer ${token}` });
    expect(answer).toMatchObject({ status: 502, code: 'token_exchange_refused', text: expect.stringContaining('invalid_target (check audience and resource)') as string });
    expect(answer.text).not.toContain('no such audience');
    for (const secret of [token, provider.clientSecret]) expect(answer.text).not.toContain(secret);
    expect(gateway.upstream.requests).toEqual([]);
  });
});
