import { generateKeyPairSync } from 'node:crypto';
import type { ReadableUpstreamServer } from '@gatehouse/gateway-config';
import { describe, expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane({ GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback' });
const servers = '/v1/workspaces/default/servers';

interface Problem {
  readonly errors: readonly { readonly pointer: string; readonly code: string }[];
}

let names = 0;
const type = 'oauth-client-credentials';
const client = { type, tokenUrl: 'https://id.example/token', clientId: 'id' };
const evil = 'https://evil.example/token';
const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const create = (name: string, appAuth: object) => fixture.plane.send<ReadableUpstreamServer & Problem>('POST', servers, { body: sampleServer(name, { appAuth }) });
const change = (method: 'PUT' | 'PATCH', name: string, body: unknown) => fixture.plane.send<ReadableUpstreamServer & Problem>(method, `${servers}/${name}`, { body, headers: { 'If-Match': '*' } });

async function created(appAuth: object): Promise<string> {
  const name = `client-${(names += 1)}`;
  const { status, text } = await create(name, appAuth);
  expect(status, text).toBe(201);
  return name;
}

describe('a client’s secret goes to no other origin than it was given for', () => {
  test.each<[string, string, object]>([
    ['another host', 'clientSecret', { tokenUrl: evil }],
    ['another port', 'clientSecret', { tokenUrl: 'https://id.example:8443/token' }],
    ['a secret as it is read', 'clientSecret', { tokenUrl: evil, clientSecret: { set: true } }],
    ['the type said again', 'clientSecret', { type, tokenUrl: evil }],
    ['a key, which signs what the token URL gets', 'privateKey', { tokenUrl: evil }],
  ])('%s', async (_what, field, patch) => {
    const secret = field === 'privateKey' ? privateKey : 'canary-of-client';
    const name = await created({ ...client, [field]: secret });
    const reply = await change('PATCH', name, { appAuth: patch });
    expect([reply.status, reply.body.errors]).toMatchObject([422, [{ pointer: `/appAuth/${field}`, code: 'secret_of_another_origin' }]]);
    const { body } = await fixture.plane.send<ReadableUpstreamServer>('GET', `${servers}/${name}`);
    expect(body.appAuth).toMatchObject({ tokenUrl: client.tokenUrl, [field]: { set: true } });
    expect((await change('PATCH', name, { appAuth: { ...patch, [field]: secret } })).status).toBe(200);
  });

  test('a whole document that leaves it out', async () => {
    const name = await created({ ...client, clientSecret: 'canary-of-client' });
    const reply = await change('PUT', name, sampleServer(name, { appAuth: { ...client, tokenUrl: evil } }));
    expect([reply.status, reply.body.errors]).toMatchObject([422, [{ pointer: '/appAuth/clientSecret', code: 'secret_of_another_origin' }]]);
  });

  test.each<[string, object]>([
    ['another path', { tokenUrl: 'https://id.example/v2/token' }],
    ['another client', { clientId: 'another' }],
  ])('it stays with %s', async (_what, patch) => {
    const name = await created({ ...client, clientSecret: 'canary-of-client' });
    expect((await change('PATCH', name, { appAuth: patch })).body.appAuth).toMatchObject({ ...patch, clientSecret: { set: true } });
  });
});

describe('so it is with every client that a server has', () => {
  const exchange = { type: 'on-behalf-of', tokenUrl: client.tokenUrl, clientId: 'id' };
  const idJag = { ...exchange, grant: 'id-jag', audience: 'https://as.example' };
  const secret = { clientSecret: 'canary-of-client' };
  const own = { clientId: 'there', clientSecret: 'canary-of-target' };
  const at = (...fields: string[]): object[] => fields.map((field) => ({ pointer: field, code: 'secret_of_another_origin' }));
  test.each<[string, object, object, object[]]>([
    ['an exchange at another host', { ...exchange, ...secret }, { tokenUrl: evil }, at('/appAuth/clientSecret')],
    ['an actor’s token at another host', { ...exchange, ...secret, actor: { token: 't' } }, { tokenUrl: evil }, at('/appAuth/clientSecret', '/appAuth/actor/token')],
    ['the target’s secret at another host', { ...idJag, ...secret, target: { ...own, tokenUrl: 'https://as.example/token' } }, { target: { tokenUrl: evil } }, at('/appAuth/target/clientSecret')],
    ['the target’s secret at another audience', { ...idJag, ...secret, target: own }, { audience: 'https://evil.example' }, at('/appAuth/target/clientSecret')],
    ['the client’s own secret at another target', { ...idJag, ...secret }, { audience: 'https://evil.example' }, at('/appAuth/clientSecret')],
    ['the client’s own secret, at a target that had one of its own', { ...idJag, ...secret, target: own }, { target: null }, at('/appAuth/clientSecret')],
  ])('%s', async (_what, appAuth, patch, problems) => {
    const reply = await change('PATCH', await created(appAuth), { appAuth: patch });
    expect([reply.status, reply.body.errors.toSorted((a, b) => b.pointer.localeCompare(a.pointer))]).toMatchObject([422, problems]);
  });

  const header = (source: object): Record<string, unknown> => ({ outboundHeaders: [{ name: 'X-First', source: { type: 'static', value: 'v' } }, { name: 'X-Token', source: { ...source, clientId: 'id' } }] });
  test.each(['service-token', 'on-behalf-of'])('an outbound header’s, wherever in the list it is: %s', async (kind) => {
    const name = `header-${(names += 1)}`;
    const written = sampleServer(name, { ...header({ type: kind, tokenUrl: client.tokenUrl, ...secret }), appAuth: { type: 'none' } });
    expect((await fixture.plane.send('POST', servers, { body: written })).status).toBe(201);
    const moved = (source: object) => change('PATCH', name, { outboundHeaders: [{ name: 'X-Token', source: { type: kind, clientId: 'id', ...source } }] });
    const reply = await moved({ tokenUrl: evil });
    expect([reply.status, reply.body.errors]).toMatchObject([422, at('/outboundHeaders/0/source/clientSecret')]);
    expect((await moved({ tokenUrl: 'https://id.example/v2/token' })).status).toBe(200);
    expect((await moved({ tokenUrl: evil, ...secret })).status).toBe(200);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['an exchange', { appAuth: { ...exchange, ...secret, tokenUrl: 'http://id.example/token' } }, '/appAuth/tokenUrl'],
    ['a target', { appAuth: { ...idJag, ...secret, target: { ...own, tokenUrl: 'http://as.example/token' } } }, '/appAuth/target/tokenUrl'],
    ['an audience where the target is found', { appAuth: { ...idJag, ...secret, audience: 'http://as.example' } }, '/appAuth/audience'],
    ['an outbound header', header({ type: 'service-token', tokenUrl: 'http://id.example/token', ...secret }), '/outboundHeaders/1/source/tokenUrl'],
  ])('travels over TLS: %s', async (_what, overrides, pointer) => {
    const reply = await fixture.plane.send<Problem>('POST', servers, { body: sampleServer(`plain-${(names += 1)}`, overrides) });
    expect([reply.status, reply.body.errors]).toMatchObject([422, [{ pointer, code: 'https_required' }]]);
  });

  test('an audience that is only a name is none of this', async () => {
    await created({ ...exchange, ...secret, audience: 'http://orders.internal' });
  });
});

describe('a client’s secret travels over TLS', () => {
  const plain = { pointer: '/appAuth/tokenUrl', code: 'https_required' };

  test.each(['http://id.example/token', 'HTTP://1.1.1.1/token', 'http://10.0.0.1/token'])('not to %s', async (tokenUrl) => {
    const refused = await create(`plain-${(names += 1)}`, { ...client, tokenUrl, clientSecret: 's' });
    expect([refused.status, refused.body.errors]).toMatchObject([422, [plain]]);
    const name = await created({ ...client, clientSecret: 's' });
    for (const reply of [await change('PATCH', name, { appAuth: { tokenUrl, clientSecret: 's' } }), await change('PUT', name, sampleServer(name, { appAuth: { ...client, tokenUrl, clientSecret: 's' } }))]) {
      expect([reply.status, reply.body.errors]).toMatchObject([422, [plain]]);
    }
  });

  test('except to addresses that the deployment names', async () => {
    await created({ ...client, tokenUrl: 'http://127.0.0.1:9/token', clientSecret: 's' });
  });
});
