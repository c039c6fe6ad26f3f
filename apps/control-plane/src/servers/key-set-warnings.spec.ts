import type { ReadableServer } from '@gatehouse/gateway-config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSigningKey, startTokenIssuer, type TokenIssuer } from '../../../../test/support/token-issuer.ts';
import { sampleServer } from '../spec-support/sample-server.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const servers = '/v1/workspaces/default/servers';
let issuer: TokenIssuer;
beforeAll(async () => void (issuer = await startTokenIssuer()));
afterAll(() => issuer.close());

const withJwt = (name: string, jwt: object) => sampleServer(name, { agentAuth: { type: 'passthrough', jwt: { issuer: 'https://login.example', ...jwt } } });
const warningsOf = (server: ReadableServer) => server.warnings.map(({ code, pointer, detail }) => [code, pointer, detail]);
const pointer = '/agentAuth/jwt/jwksUrl';

describe('where loopback is allowed', () => {
  const fixture = useControlPlane({ GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback' });
  const save = async (name: string, jwt: object): Promise<ReadableServer> => {
    const reply = await fixture.plane.send<ReadableServer>('POST', servers, { body: withJwt(name, jwt) });
    expect(reply.status, reply.text).toBe(201);
    return reply.body;
  };

  test('a key set that answers is nothing to warn of', async () => {
    expect(warningsOf(await save('good', { jwksUrl: issuer.jwksUrl }))).toEqual([]);
    expect(warningsOf(await save('pasted', { jwks: { keys: [issuer.key.publicJwk] } }))).toEqual([]);
  });

  test.each<[string, string, Parameters<TokenIssuer['answer']>[0]]>([
    ['no-json', 'jwks_invalid', (response) => void response.end('<p>internal secret page</p>')],
    ['no-key-set', 'jwks_invalid', (response) => void response.end('{"internal":"secret"}')],
    ['no-usable-key', 'jwks_invalid', (response) => void response.end('{"keys":[]}')],
    ['an-error', 'jwks_unreachable', (response) => void response.writeHead(500).end('internal secret')],
    ['a-redirect', 'jwks_unreachable', (response) => void response.writeHead(302, { location: 'http://secret.internal' }).end()],
    ['too-much', 'jwks_unreachable', (response) => void response.end('x'.repeat(300_000))],
  ])('a server is saved, and the answer says that its key set gives %s, without what it is', async (name, code, answer) => {
    issuer.answer(answer);
    const server = await save(name, { jwksUrl: issuer.jwksUrl });
    issuer.answer();
    expect(warningsOf(server)).toEqual([[code, pointer, expect.not.stringMatching(/secret|internal|127\.0\.0\.1|\d{3}/)]]);
    const read = await fixture.plane.send<ReadableServer>('GET', `${servers}/${name}`);
    expect([read.status, read.body.agentAuth]).toEqual([200, server.agentAuth]);
  });

  test('an issuer that is away is warned of by each change, until it is back', async () => {
    issuer.goAway();
    expect(warningsOf(await save('away', { jwksUrl: issuer.jwksUrl }))).toEqual([['jwks_unreachable', pointer, expect.any(String)]]);
    const change = (title: string) => fixture.plane.send<ReadableServer>('PATCH', `${servers}/away`, { body: { title }, headers: { 'If-Match': '*' } });
    expect(warningsOf((await change('A')).body)).toHaveLength(1);
    issuer.goAway(false);
    expect(warningsOf((await change('B')).body)).toEqual([]);
  });

  test('an issuer that does not answer at all is not waited for longer than a person would', async () => {
    issuer.answer(() => undefined);
    expect(warningsOf(await save('silent', { jwksUrl: issuer.jwksUrl }))).toEqual([['jwks_unreachable', pointer, expect.any(String)]]);
    issuer.answer();
  });

  test('a pasted key set is kept as the object, whichever way it was written', async () => {
    const jwks = { keys: [issuer.key.publicJwk] };
    const server = await save('as-text', { jwks: JSON.stringify(jwks), audience: ['a', 'b'] });
    expect(server.agentAuth).toEqual({ type: 'passthrough', jwt: { jwks, issuer: 'https://login.example', audience: ['a', 'b'] } });
  });

  test('from a key set by URL to a pasted one and back, by PATCH', async () => {
    const patch = (jwt: object) => fixture.plane.send<ReadableServer>('PATCH', `${servers}/good`, { body: { agentAuth: { jwt } }, headers: { 'If-Match': '*' } });
    const jwks = { keys: [issuer.key.publicJwk] };
    expect((await patch({ jwks })).body).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/agentAuth/jwt/jwks' }] });
    expect((await patch({ jwks, jwksUrl: null })).body.agentAuth).toEqual({ type: 'passthrough', jwt: { jwks, issuer: 'https://login.example' } });
    expect((await patch({ jwks: null, jwksUrl: issuer.jwksUrl })).body.agentAuth).toEqual({ type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: 'https://login.example' } });
  });

  test('a private key is refused without being repeated', async () => {
    const { privateKey } = await makeSigningKey('ES256', 'k');
    const { d, ...rest } = (await crypto.subtle.exportKey('jwk', privateKey)) as Record<string, string>;
    for (const jwks of [{ keys: [{ ...rest, d }] }, JSON.stringify({ keys: [{ ...rest, d }] })]) {
      const reply = await fixture.plane.send('POST', servers, { body: withJwt('private', { jwks }) });
      expect([reply.status, reply.body]).toMatchObject([422, { errors: [{ pointer: expect.stringMatching(/^\/agentAuth\/jwt\/jwks(\/keys\/0\/d)?$/) as string }] }]);
      expect(reply.text).not.toContain(d);
    }
  });
});

describe('where loopback is not allowed', () => {
  const fixture = useControlPlane({ GATEHOUSE_OPEN_SERVERS: 'false' });

  test('a key set there is not asked, and the warning says why; a server that checks tokens is no open one', async () => {
    const { fetches } = issuer;
    const reply = await fixture.plane.send<ReadableServer>('POST', servers, { body: withJwt('inside', { jwksUrl: issuer.jwksUrl }) });
    expect([reply.status, issuer.fetches]).toEqual([201, fetches]);
    expect(warningsOf(reply.body)).toEqual([['jwks_unreachable', pointer, expect.stringContaining('does not allow')]]);
  });
});
