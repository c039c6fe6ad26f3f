import { hash } from 'node:crypto';
import type { TokenAnswer, TokenRequest } from '@gatehouse/access-tokens';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type InProcessDataPlane, type SpecServer, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { headerPairs, headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startSpecBroker, type SpecBroker } from '../support/token-broker.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let broker: SpecBroker;
let dataPlane: InProcessDataPlane;
let names = 0;

beforeAll(async () => {
  [upstream, issuer, broker] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startSpecBroker()]);
  dataPlane = await startPublicDataPlane(broker.environment);
  await dataPlane.publishAuthorizationServer(issuer);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close(), broker.close()]);
});
beforeEach(() => {
  upstream.requests.length = 0;
  broker.requests.length = 0;
  upstream.handle(answerAsMcp);
  broker.answer(tokenOf);
});

const connectUrl = 'https://gatehouse.example/connect/sealed-link';
const unconnected = (status: 'connect_required' | 'reconnect_required' = 'connect_required'): TokenAnswer => ({ status, connectUrl, linkId: 'link-1', app: 'GitHub', reason: 'not_connected' });
const subjectOf = ({ subject }: TokenRequest): string => (typeof subject === 'string' ? subject : 'person' in subject ? subject.person : subject.subject);
const tokenOf = (request: TokenRequest): TokenAnswer => ({ status: 'token', accessToken: `upstream-token-of-${subjectOf(request)}${request.refused === undefined ? '' : '-renewed'}`, connection: `connection-of-${subjectOf(request)}`, owner: 'app-1' });

const oauth = { type: 'oauth-authorization-code', app: 'github' } as const;
/** A server of its own for each case: tokens are kept by server. */
async function publish(appAuth: SpecServer['appAuth'] = oauth, more: Partial<SpecServer> = {}): Promise<string> {
  const name = `server-${(names += 1)}`;
  await dataPlane.publish({ name, upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, appAuth, ...more });
  return name;
}
const tokenFor = async (name: string, claims: object = ana): Promise<string> => `Bearer ${await signAccessToken(issuer, `${dataPlane.url}/mcp/default/${name}`, { ...claims })}`;
const inspect = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'inspect', arguments: {} } };
const post = (name: string, authorization: string | undefined, message: object = inspect, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...(authorization !== undefined && { authorization }), ...headers }, body: JSON.stringify(message) });
const sentTokens = (): (string | undefined)[] => upstream.requests.map((request) => headerValue(request, 'authorization'));
const outcomeOf = async (response: Response): Promise<unknown> => [response.status, ((await response.json()) as { error?: { data: { code: string } } }).error?.data.code];
const refuse = (isRefused: (authorization: string | undefined) => boolean): void =>
  upstream.handle((request, response) => (isRefused(headerValue(request, 'authorization')) ? void response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end('no') : answerAsMcp(request, response)));

describe('a call carries the token of', () => {
  it('the person who calls, and nobody else’s; each is asked for once', async () => {
    const name = await publish();
    for (const claims of [ana, ben, ana]) expect((await post(name, await tokenFor(name, claims))).status).toBe(200);
    expect(sentTokens()).toEqual([ana, ben, ana].map(({ sub }) => `Bearer upstream-token-of-${sub}`));
    expect(broker.requests.map(({ subject }) => subject)).toEqual([{ person: ana.sub }, { person: ben.sub }]);
  });

  it('the organisation where it is shared, whoever calls', async () => {
    const name = await publish({ ...oauth, shared: true }, { agentAuth: { type: 'api-key' } });
    const key = await dataPlane.addServiceAccount(`ci-${name}`);
    expect((await post(name, `Bearer ${key}`)).status).toBe(200);
    expect(sentTokens()).toEqual(['Bearer upstream-token-of-shared']);
  });

  it('whoever a token of an issuer that the server insists on is about', async () => {
    const jwks = { keys: [issuer.key.publicJwk] };
    const name = await publish(oauth, { agentAuth: { type: 'passthrough', jwt: { jwks, issuer: issuer.url } } } as never);
    await post(name, await tokenFor(name));
    expect(broker.requests.map(({ subject }) => subject)).toEqual([{ issuer: issuer.url, subject: ana.sub }]);
  });

  it.each<[string, object]>([
    ['a service account', { type: 'api-key' }],
    ['nobody in particular', { type: 'passthrough' }],
    ['a token of any issuer', { type: 'passthrough', jwt: {} }],
  ])('no one where the caller is %s: 403 that says what to do, and the broker is not asked', async (_name, agentAuth) => {
    const auth = 'jwt' in agentAuth ? { type: 'passthrough', jwt: { jwks: { keys: [issuer.key.publicJwk] } } } : agentAuth;
    const name = await publish(oauth, { agentAuth: auth } as never);
    const key = 'jwt' in agentAuth ? await tokenFor(name) : `Bearer ${await dataPlane.addServiceAccount(`ci-${name}`)}`;
    expect(await outcomeOf(await post(name, key))).toEqual([403, 'connection_needs_person']);
    expect([broker.requests.length, upstream.requests.length]).toEqual([0, 0]);
  });

  it('nobody but that: neither Authorization nor X-Upstream-Authorization of the caller goes along (D2, D3)', async () => {
    const name = await publish(oauth, { headerPolicy: { mode: 'all' } });
    const authorization = await tokenFor(name);
    await post(name, authorization, inspect, { 'x-upstream-authorization': 'Bearer mine' });
    const [request] = upstream.requests;
    expect(request && headerPairs(request).filter(([header]) => /authorization/i.test(header))).toEqual([['Authorization', `Bearer upstream-token-of-${ana.sub}`]]);
  });
});

describe('a token that the upstream refuses', () => {
  it('is replaced, and the call made once more, with the same body', async () => {
    const name = await publish();
    refuse((authorization) => authorization?.endsWith('renewed') !== true);
    expect((await post(name, await tokenFor(name))).status).toBe(200);
    expect(broker.requests.map(({ refused }) => refused)).toEqual([undefined, hash('sha256', `upstream-token-of-${ana.sub}`, 'base64url')]);
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual([JSON.stringify(inspect), JSON.stringify(inspect)]);
    // From then on there is nothing left to be refused.
    await post(name, await tokenFor(name));
    expect([upstream.requests.length, broker.requests.length]).toEqual([3, 2]);
  });

  it('is replaced for a stream too', async () => {
    const name = await publish();
    upstream.handle((request, response) => {
      const isGood = headerValue(request, 'authorization')?.endsWith('renewed') === true;
      response.writeHead(isGood ? 200 : 401, { 'content-type': isGood ? 'text/event-stream' : 'text/plain' });
      response.end(isGood ? 'data: {}\n\n' : 'no');
    });
    const response = await fetch(`${dataPlane.url}/mcp/default/${name}`, { headers: { accept: 'text/event-stream', authorization: await tokenFor(name) } });
    expect([response.status, await response.text()]).toEqual([200, 'data: {}\n\n']);
  });

  it('twice is not tried a third time: its person connects again', async () => {
    const name = await publish();
    refuse(() => true);
    broker.answer((request) => (request.refusedAgain === true ? { ...unconnected('reconnect_required'), reason: 'refused' } as TokenAnswer : tokenOf(request)));
    const response = await post(name, await tokenFor(name));
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining(connectUrl)]);
    expect([upstream.requests.length, broker.requests.length]).toEqual([2, 3]);
  });

  it('twice, where the broker knows no help, is an error of the upstream’s (D8)', async () => {
    const name = await publish();
    refuse(() => true);
    const response = await post(name, await tokenFor(name));
    expect([response.headers.get('www-authenticate'), await outcomeOf(response)]).toEqual([null, [502, 'upstream_rejected_credentials']]);
  });

  it('that is stored is none that could be replaced', async () => {
    const name = await publish({ type: 'bearer', token: 'stored' });
    refuse(() => true);
    expect(await outcomeOf(await post(name, await tokenFor(name)))).toEqual([502, 'upstream_rejected_credentials']);
    expect(upstream.requests.length).toBe(1);
  });
});

describe('a token is not used after its server has changed', () => {
  it.each<[string, NonNullable<SpecServer['appAuth']>, string]>([
    ['its app', { ...oauth, app: 'gitlab' }, ''],
    ['its scopes', { ...oauth, scopes: ['repo'] }, ''],
    ['whose connection it is', { ...oauth, shared: true }, ''],
    ['its app for the upstream itself', { type: 'oauth-authorization-code', discover: true }, ''],
    ['its upstream', oauth, '?another'],
  ])('%s', async (_name, appAuth, query) => {
    let generation = 1;
    broker.answer((request) => ({ ...tokenOf(request), accessToken: `token-${generation}` }) as TokenAnswer);
    const name = await publish();
    const authorization = await tokenFor(name);
    await post(name, authorization);
    generation = 2;
    await dataPlane.publish({ name, upstream: { url: upstream.url + query }, agentAuth: { type: 'interactive' }, appAuth });
    for (let call = 0; call < 2; call += 1) expect((await post(name, authorization)).status).toBe(200);
    expect(sentTokens()).toEqual(['Bearer token-1', 'Bearer token-2', 'Bearer token-2']);
    expect(broker.requests.length).toBe(2);
  });

  it('but after it has another name for people, it is', async () => {
    const name = await publish();
    const authorization = await tokenFor(name);
    await post(name, authorization);
    await dataPlane.publish({ name, title: 'Code', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, appAuth: oauth });
    await post(name, authorization);
    expect(broker.requests.length).toBe(1);
  });
});

describe('P30 while the broker is away', () => {
  it('known tokens go on, and whoever has none is told', async () => {
    const name = await publish();
    const [known, unknown] = [await tokenFor(name), await tokenFor(name, ben)];
    await post(name, known);
    broker.answer(undefined);
    expect((await post(name, known)).status).toBe(200);
    expect(await outcomeOf(await post(name, unknown))).toEqual([503, 'broker_unavailable']);
    expect(upstream.requests.length).toBe(2);
  });

  it.each([
    ['breaks', () => broker.breakOff()],
    ['carries no answer', () => broker.standStill()],
  ])('a connection that %s: it is asked once more, over another one', async (_, fail) => {
    const name = await publish();
    fail();
    expect((await post(name, await tokenFor(name))).status).toBe(200);
    expect(broker.requests.length).toBe(1);
  });

  it.each<[TokenAnswer, unknown]>([
    [{ status: 'provider_unavailable' }, [503, 'provider_unavailable']],
    [{ status: 'misconfigured' }, [502, 'connection_misconfigured']],
    [{ status: 'no_person' }, [403, 'connection_needs_person']],
  ])('and where it says %j', async (answer, expected) => {
    const name = await publish();
    broker.answer(() => answer);
    expect(await outcomeOf(await post(name, await tokenFor(name)))).toEqual(expected);
  });
});

it('tokens are in no log and no answer', async () => {
  const name = await publish();
  await post(name, await tokenFor(name), { ...inspect, method: 'ping' });
  refuse(() => true);
  await (await post(name, await tokenFor(name))).text();
  expect(dataPlane.log.join('\n')).not.toContain('upstream-token-of');
  expect(dataPlane.log.join('\n')).not.toContain('sealed-link');
});
