import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { verifyProof } from '../support/dpop-proof.ts';
import { type ExchangeProvider, startExchangeProvider } from '../support/exchange-provider.ts';
import { type InProcessDataPlane, type SpecServer, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { headerPairs, headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type SpecBroker, startSpecBroker } from '../support/token-broker.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

/* As whom an upstream is called whose provider is another than the gateway's (P11, P25). */

let upstream: RecordingUpstream;
/** Of the callers that come with tokens of their own. */
let issuer: TokenIssuer;
/** Of the gateway's own tokens. */
let gateway: TokenIssuer;
let provider: ExchangeProvider;
let broker: SpecBroker;
let dataPlane: InProcessDataPlane;
let logins: Record<string, string>;
let names = 0;

beforeAll(async () => {
  [upstream, issuer, gateway, broker] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startTokenIssuer(), startSpecBroker()]);
  [provider, dataPlane] = await Promise.all([startExchangeProvider(issuer), startPublicDataPlane(broker.environment)]);
  await dataPlane.publishAuthorizationServer(gateway);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close(), gateway.close(), provider.close(), broker.close()]);
});
beforeEach(async () => {
  upstream.requests.length = 0;
  upstream.handle(answerAsMcp);
  logins = { [ana.sub]: await issuer.sign({ sub: 'ana-at-corp' }) };
  broker.answer(({ subject, login }) => {
    const person = typeof subject === 'object' && 'person' in subject ? subject.person : '';
    const accessToken = logins[person];
    return accessToken === undefined || login === undefined ? { status: 'no_person' } : { status: 'token', login, accessToken, connection: `login-of-${person}`, owner: 'corp', person, expiresInMs: 300_000 };
  });
});

const exchanging = (more: object = {}): object => ({ type: 'on-behalf-of', tokenUrl: provider.tokenUrl, clientId: provider.clientId, clientSecret: provider.clientSecret, ...more });
const validated = (): object => ({ type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url } });
async function publish(more: object): Promise<string> {
  const name = `upstream-${(names += 1)}`;
  await dataPlane.publish({ name, upstream: { url: upstream.url }, agentAuth: validated(), ...more } as SpecServer);
  return name;
}
const urlOf = (name: string): string => `${dataPlane.url}/mcp/default/${name}`;
const post = (name: string, token: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(urlOf(name), { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) });
const postAs = async (name: string, person: typeof ana | typeof ben): Promise<Response> => post(name, await signAccessToken(gateway, urlOf(name), person));
const outcomeOf = async (response: Response): Promise<unknown> => [response.status, ((await response.json()) as { error?: { data: { code: string } } }).error?.data.code];
const sent = (name = 'authorization'): (string | undefined)[] => upstream.requests.map((request) => headerValue(request, name));
const granted = (value: string | undefined) => provider.granted.get(value?.replace(/^Bearer /, '') ?? '');
const refuseOnce = (isRefused: (token: string | undefined) => boolean): void => {
  upstream.handle((request, response) => (isRefused(headerValue(request, 'authorization')) ? void response.writeHead(401).end() : answerAsMcp(request, response)));
};

describe('who came with a token of another issuer', () => {
  it('is called for with one that was given for it, and theirs goes no further', async () => {
    const name = await publish({ appAuth: exchanging({ audience: 'https://orders.example', scopes: ['read'] }) });
    const token = await issuer.sign({ sub: 'jo' });
    expect((await post(name, token)).status).toBe(200);
    expect(granted(sent()[0])).toMatchObject({ subject: 'jo', audience: 'https://orders.example', scope: 'read' });
    expect(JSON.stringify(upstream.requests)).not.toContain(token);
    expect(dataPlane.log.join('\n')).not.toContain(token);
  });

  it('does not choose it: neither Authorization nor X-Upstream-Authorization go on, whatever passes through (D2, D3)', async () => {
    const name = await publish({ appAuth: exchanging(), headerPolicy: { mode: 'all' } });
    await post(name, await issuer.sign({ sub: 'jo' }), { 'x-upstream-authorization': 'Bearer mine' });
    const pairs = upstream.requests.flatMap((request) => headerPairs(request)).filter(([header]) => /authorization/i.test(header));
    expect(pairs.map(([header, value]) => [header, granted(value)?.subject])).toEqual([['Authorization', 'jo']]);
  });

  it('causes one exchange, however many calls there are at once', async () => {
    const name = await publish({ appAuth: exchanging({ resource: 'https://orders.example/1' }) });
    const [jo, kim] = [await issuer.sign({ sub: 'jo' }), await issuer.sign({ sub: 'kim' })];
    const before = provider.exchanges;
    await Promise.all([jo, kim, jo, kim, jo, kim].map((token) => post(name, token)));
    expect(provider.exchanges - before).toBe(2);
    expect(new Set(sent().map((value) => granted(value)?.subject))).toEqual(new Set(['jo', 'kim']));
  });

  it('is exchanged for anew where the configuration is another', async () => {
    const token = await issuer.sign();
    const name = await publish({ appAuth: exchanging({ scopes: ['read'] }) });
    await post(name, token);
    await dataPlane.publish({ name, upstream: { url: upstream.url }, agentAuth: validated(), appAuth: exchanging({ scopes: ['write'] }) } as SpecServer);
    await post(name, token);
    expect(sent().map((value) => granted(value)?.scope)).toEqual(['read', 'write']);
  });

  it('gets 401 with a challenge where their token has just expired', async () => {
    const name = await publish({ appAuth: exchanging() });
    const response = await post(name, await issuer.sign({ exp: Math.floor(Date.now() / 1000) - 5 }));
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
    expect(await outcomeOf(response)).toEqual([401, 'subject_token_expired']);
    expect(upstream.requests).toEqual([]);
  });
});

describe('who logged in at the gateway', () => {
  it('is called for with one that was given for the token of their identity provider', async () => {
    const name = await publish({ agentAuth: { type: 'interactive' }, appAuth: exchanging() });
    expect((await postAs(name, ana)).status).toBe(200);
    expect(granted(sent()[0])?.subject).toBe('ana-at-corp');
    expect(await outcomeOf(await postAs(name, ben))).toEqual([403, 'connection_needs_person']);
  });

  it('is exchanged for anew once their login was withdrawn', async () => {
    const name = await publish({ agentAuth: { type: 'interactive' }, appAuth: exchanging({ resource: 'https://orders.example/2' }) });
    await postAs(name, ana);
    logins[ana.sub] = await issuer.sign({ sub: 'ana-again' });
    await dataPlane.withdraw(`login-of-${ana.sub}`);
    await postAs(name, ana);
    expect(sent().map((value) => granted(value)?.subject)).toEqual(['ana-at-corp', 'ana-again']);
  });

  it('shows nobody the gateway’s own token (D2)', async () => {
    const name = await publish({ agentAuth: { type: 'passthrough', jwt: { jwksUrl: gateway.jwksUrl, issuer: gateway.url } }, appAuth: exchanging() });
    const other = await publish({ agentAuth: { type: 'passthrough', jwt: { jwksUrl: gateway.jwksUrl, issuer: gateway.url } }, outboundHeaders: [{ name: 'X-Token', source: { type: 'caller-token' } }] });
    for (const server of [name, other]) expect(await outcomeOf(await postAs(server, ana))).toEqual([403, 'subject_token_missing']);
    expect(upstream.requests).toEqual([]);
  });
});

describe('where there is none', () => {
  it('of a service account, nothing is sent', async () => {
    const name = await publish({ agentAuth: { type: 'api-key' }, appAuth: exchanging() });
    const response = await post(name, await dataPlane.addServiceAccount('ci'));
    expect(await outcomeOf(response)).toEqual([403, 'subject_token_missing']);
    expect(upstream.requests).toEqual([]);
  });

  it('because the provider refuses, its code is told and none of its words, and it is not asked with every call', async () => {
    const name = await publish({ appAuth: exchanging({ audience: 'https://unknown.example' }) });
    const token = await issuer.sign();
    const before = provider.requests;
    const response = await post(name, token);
    const { error } = (await response.json()) as { error: { message: string; data: { code: string } } };
    expect([response.status, error.data.code]).toEqual([502, 'token_exchange_refused']);
    expect(error.message).toContain('invalid_target (check audience and resource)');
    expect([error.message, dataPlane.log.join('\n')]).toEqual([expect.not.stringContaining('no such audience'), expect.stringContaining('no such audience')]);
    await post(name, token);
    expect(provider.requests - before).toBe(1);
    expect(upstream.requests).toEqual([]);
    expect(dataPlane.log.join('\n')).not.toContain(provider.clientSecret);
  });

  it.each([['http://169.254.169.254/token', 502, 'token_exchange_refused'], ['http://127.0.0.1:1/token', 503, 'provider_unavailable']])('because nobody is asked at %s', async (tokenUrl, status, code) => {
    const name = await publish({ appAuth: exchanging({ tokenUrl }) });
    expect(await outcomeOf(await post(name, await issuer.sign()))).toEqual([status, code]);
  });
});

describe('a token that the upstream refuses', () => {
  it('is exchanged anew, once', async () => {
    const name = await publish({ appAuth: exchanging({ resource: 'https://orders.example/3' }) });
    const token = await issuer.sign();
    await post(name, token);
    const [first] = sent();
    refuseOnce((value) => value === first);
    expect((await post(name, token)).status).toBe(200);
    expect(new Set(sent()).size).toBe(2);
  });

  it('again and again is not exchanged with every call', async () => {
    const name = await publish({ appAuth: exchanging({ resource: 'https://orders.example/4' }) });
    const token = await issuer.sign();
    refuseOnce(() => true);
    const before = provider.exchanges;
    for (let call = 0; call < 3; call += 1) expect(await outcomeOf(await post(name, token))).toEqual([502, 'upstream_rejected_credentials']);
    expect(provider.exchanges - before).toBe(2);
  });
});

describe('a token that is bound to a key (RFC 9449)', () => {
  it('goes out with a proof of each request, with the nonce that the upstream wants', async () => {
    const binding = await startExchangeProvider(issuer, { nonce: 'nonce-of-the-provider' });
    const proofs: unknown[] = [];
    let nonce = 'nonce-1';
    upstream.handle((request, response) => {
      const token = headerValue(request, 'authorization')?.replace(/^DPoP /, '') ?? '';
      void verifyProof(headerValue(request, 'dpop') ?? '', { method: 'POST', url: upstream.url, token }).then((proof) => {
        const isWanted = proof.thumbprint === binding.granted.get(token)?.key && proof.nonce === nonce;
        proofs.push([isWanted, proof.nonce]);
        if (isWanted) answerAsMcp(request, response);
        else response.writeHead(401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': nonce }).end();
      }, () => response.writeHead(400).end());
    });
    const name = await publish({ appAuth: exchanging({ tokenUrl: binding.tokenUrl, dpop: true }), headerPolicy: { mode: 'all' } });
    const token = await issuer.sign();
    const call = () => fetch(urlOf(name), { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, dpop: 'the.callers.proof' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) });
    const statuses = [(await call()).status, (await call()).status];
    nonce = 'nonce-2';
    statuses.push((await call()).status);
    expect(statuses).toEqual([200, 200, 200]);
    expect(proofs).toEqual([[false, undefined], [true, 'nonce-1'], [true, 'nonce-1'], [false, 'nonce-1'], [true, 'nonce-2']]);
    expect(binding.exchanges).toBe(1);
    await binding.close();
  });
});

describe('headers beside another credential', () => {
  const header = (name: string, source: object, more: object = {}): object => ({ name, source, ...more });
  const client = (): object => ({ tokenUrl: provider.tokenUrl, clientId: provider.clientId, clientSecret: provider.clientSecret });

  it('carry the service’s token, the caller’s, and one on their behalf (P12)', async () => {
    const name = await publish({
      appAuth: { type: 'oauth-client-credentials', ...client() },
      outboundHeaders: [header('X-Service', { type: 'service-token', ...client() }, { prefix: 'Bearer' }), header('X-Caller', { type: 'caller-token' }), header('X-User-Token', exchanging(), { prefix: 'Bearer' })],
    });
    const token = await issuer.sign({ sub: 'jo' });
    expect((await post(name, token)).status).toBe(200);
    // One client, one token, wherever it is sent.
    expect(sent('x-service')).toEqual(sent());
    expect([sent('x-caller')[0] === token, granted(sent('x-user-token')[0])?.subject]).toEqual([true, 'jo']);
  });

  it('are exchanged anew with a call that is refused, whatever else it carries', async () => {
    const name = await publish({ appAuth: { type: 'bearer', token: 'static' }, outboundHeaders: [header('X-Service', { type: 'service-token', ...client() }), header('X-User-Token', exchanging({ resource: 'https://orders.example/5' }))] });
    const token = await issuer.sign();
    await post(name, token);
    const [first] = sent('x-user-token');
    upstream.handle((request, response) => (headerValue(request, 'x-user-token') === first ? void response.writeHead(401).end() : answerAsMcp(request, response)));
    expect((await post(name, token)).status).toBe(200);
    expect(new Set(sent('x-user-token')).size).toBe(2);
  });

  it('are left out for who has none, where they may be', async () => {
    const outboundHeaders = [header('X-Caller', { type: 'caller-token' }, { required: false }), header('X-User-Token', exchanging(), { required: false })];
    const name = await publish({ agentAuth: { type: 'api-key' }, outboundHeaders });
    expect((await post(name, await dataPlane.addServiceAccount('nightly'))).status).toBe(200);
    expect([sent('x-caller'), sent('x-user-token')]).toEqual([[undefined], [undefined]]);
  });
});
