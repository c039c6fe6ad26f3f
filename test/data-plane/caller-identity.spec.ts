import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { makeIdentityKey, type SpecIdentityKey } from '../support/identity-key.ts';
import { type InProcessDataPlane, type SpecServer, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

/* What an upstream learns of callers, and how it can tell that it is true (P11, P27). */

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let dataPlane: InProcessDataPlane;
let key: SpecIdentityKey;
const gatehouse = 'https://gatehouse.example';
const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'inspect', arguments: {} } });

beforeAll(async () => {
  [upstream, issuer, dataPlane, key] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startPublicDataPlane(), makeIdentityKey('first')]);
  await dataPlane.publishAuthorizationServer(issuer);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close()]);
});
beforeEach(() => void (upstream.requests.length = 0));

const publish = (name: string, source: NonNullable<SpecServer['outboundHeaders']>[number]['source'], more: Partial<SpecServer> = {}): Promise<void> =>
  dataPlane.publish({ name, upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, outboundHeaders: [{ name: 'X-Caller', source }], ...more });
const post = async (name: string, person: object = ana, headers: Record<string, string> = {}): Promise<Response> => {
  const url = `${dataPlane.url}/mcp/default/${name}`;
  const authorization = `Bearer ${await signAccessToken(issuer, url, { ...person, client_id: 'claude' })}`;
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization, ...headers }, body: call });
};
const codeOf = async (response: Response): Promise<unknown> => ((await response.json()) as { error: { data: { code: string } } }).error.data.code;
const sent = (index = 0): string => headerValue(upstream.requests[index] as RecordedRequest, 'x-caller') ?? '';

describe('signed', () => {
  const verify = (token: string, { published } = key, audience = upstream.origin) =>
    jwtVerify(token, createLocalJWKSet({ keys: [published] }), { issuer: gatehouse, audience, typ: 'caller-identity+jwt', algorithms: ['ES256'], requiredClaims: ['exp', 'iat', 'sub'] });

  it('without a key nothing is sent', async () => {
    await publish('unsigned', { type: 'caller-identity', signed: true });
    const response = await post('unsigned');
    expect([response.status, await codeOf(response)]).toEqual([502, 'credential_unavailable']);
    expect(upstream.requests).toEqual([]);
  });

  it('says who calls through which agent, verifiably', async () => {
    await dataPlane.publishIdentityKeys(gatehouse, [key.signing]);
    await publish('orders', { type: 'caller-identity', signed: true });
    expect((await post('orders')).status).toBe(200);
    const { payload } = await verify(sent());
    expect(payload).toMatchObject({ sub: ana.sub, email: ana.email, name: ana.name, groups: ana.groups, kind: 'person', idp: ana.idp, workspace: 'default', server: 'orders', act: { sub: 'claude' } });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
    expect(dataPlane.log.join('')).not.toContain(sent().split('.')[2]);
  });

  it('is each caller’s own, and for whom the configuration says', async () => {
    await publish('audience', { type: 'caller-identity', signed: true, audience: 'orders-api' });
    for (const person of [ana, ben, ana]) await post('audience', person);
    const subjects = await Promise.all([0, 1, 2].map(async (index) => (await verify(sent(index), key, 'orders-api')).payload.sub));
    expect(subjects).toEqual([ana.sub, ben.sub, ana.sub]);
    expect(sent(2)).toBe(sent(0));
    await expect(verify(sent())).rejects.toMatchObject({ code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' });
  });

  it('of a token it says that it is one, and whose, however much it looks like a person’s', async () => {
    const agentAuth = { type: 'passthrough', jwt: { jwks: { keys: [issuer.key.publicJwk] }, issuer: ana.idp } } as const;
    await publish('pasted', { type: 'caller-identity', signed: true, audience: 'payroll' }, { agentAuth });
    expect((await post('pasted', { ...ana, iss: ana.idp })).status).toBe(200);
    const { payload } = await verify(sent(), key, 'payroll');
    expect(payload).toMatchObject({ sub: ana.sub, kind: 'token', token_issuer: ana.idp, workspace: 'default', server: 'pasted' });
    expect(payload).not.toHaveProperty('idp');
  });

  it('is signed with the next key as soon as that may sign', async () => {
    const [second, later] = [await makeIdentityKey('second', 1), await makeIdentityKey('later', Math.floor(Date.now() / 1000) + 86_400)];
    await dataPlane.publishIdentityKeys(gatehouse, [key.signing, second.signing, later.signing]);
    await publish('rotated', { type: 'caller-identity', signed: true });
    await post('rotated');
    expect((await verify(sent(), second)).protectedHeader.kid).toBe('second');
    await dataPlane.publishIdentityKeys(gatehouse, [key.signing]);
    await post('rotated');
    expect((await verify(sent(1))).protectedHeader.kid).toBe('first');
  });

  it('of nobody there is none', async () => {
    await publish('open', { type: 'caller-identity', signed: true }, { agentAuth: { type: 'passthrough' } });
    const response = await fetch(`${dataPlane.url}/mcp/default/open`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call });
    expect([response.status, await codeOf(response), upstream.requests]).toEqual([403, 'claim_missing', []]);
  });

  it('no caller names it', async () => {
    await publish('forged', { type: 'caller-identity', signed: true }, { headerPolicy: { mode: 'all' } });
    await post('forged', ana, { 'X-Caller': 'forged', X_Caller: 'forged' });
    expect(JSON.stringify(upstream.requests[0]?.rawHeaders)).not.toContain('forged');
    await verify(sent());
  });
});

describe('a header of the request', () => {
  const source = { type: 'request-header', name: 'X-Tenant' } as const;

  it('leaves under the name of the configuration, and no other', async () => {
    await publish('tenant', source);
    expect((await post('tenant', ana, { 'x-tenant': ' acme ' })).status).toBe(200);
    expect([sent(), headerValue(upstream.requests[0] as RecordedRequest, 'x-tenant')]).toEqual(['acme', undefined]);
  });

  it.each<[string, Partial<SpecServer>, Record<string, string>]>([
    ['is missing', {}, {}],
    ['is restricted', { headerPolicy: { mode: 'none', restricted: ['x-ten*'] } }, { 'X-Tenant': 'acme' }],
    ['is too long', { headerPolicy: { mode: 'none', maxValueBytes: 3 } }, { 'X-Tenant': 'acme' }],
  ])('one that %s is none: where it is required, nothing is sent', async (_, more, headers) => {
    await publish('required', source, more);
    expect(await codeOf(await post('required', ana, headers))).toBe('credential_unavailable');
    await publish('required', source, { ...more, outboundHeaders: [{ name: 'X-Caller', required: false, source }] });
    expect((await post('required', ana, headers)).status).toBe(200);
    expect(upstream.requests.map((request) => headerValue(request, 'x-caller'))).toEqual([undefined]);
  });

  it('stays when pass-through is switched off', async () => {
    await publish('switch', source);
    await dataPlane.publishHeaderPolicy({ enabled: false });
    expect(await codeOf(await post('switch', ana, { 'X-Tenant': 'acme' }))).toBe('credential_unavailable');
    await dataPlane.publishHeaderPolicy({});
    expect((await post('switch', ana, { 'X-Tenant': 'acme' })).status).toBe(200);
  });
});
