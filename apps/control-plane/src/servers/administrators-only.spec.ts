import type { ReadableServer } from '@gatehouse/gateway-config';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const servers = '/v1/workspaces/default/servers';
let editor: string;

interface Problem {
  readonly code: string;
  readonly errors: readonly { readonly pointer: string; readonly code: string }[];
}

beforeAll(async () => {
  editor = `Bearer ${(await fixture.plane.send<{ token: string }>('POST', '/v1/api-tokens', { body: { name: 'editor', role: 'editor' } })).body.token}`;
});
beforeEach(async () => void (await fixture.query('delete from servers; delete from secrets')));

const type = 'oauth-authorization-code';
const app = { type, app: 'github' };
const good = { url: 'https://good.example/mcp' };
const evil = { url: 'https://evil.example/mcp' };
const documentOf = (overrides: object) => sampleServer('tickets', { upstream: good, agentAuth: { type: 'interactive' }, ...overrides });
const create = (overrides: object, authorization?: string) =>
  fixture.plane.send<ReadableServer & Problem>('POST', servers, { body: documentOf(overrides), ...(authorization !== undefined && { authorization }) });
const change = (method: 'PUT' | 'PATCH', body: unknown, authorization?: string) =>
  fixture.plane.send<ReadableServer & Problem>(method, `${servers}/tickets`, { body, headers: { 'If-Match': '*' }, ...(authorization !== undefined && { authorization }) });
const forbidden = (...pointers: string[]) => ({ code: 'forbidden', errors: pointers.map((pointer) => ({ pointer, code: 'administrator_required' })) });
const exchange = { type: 'on-behalf-of', tokenUrl: 'https://sts.example/token', clientId: 'gatehouse', clientSecret: 's' };
const stores = (scope: string, name = 'tracker') => [{ name: 'X-Key', source: { type: 'credential', name, scope } }];
const signed = (more: object = {}) => [{ name: 'X-Caller', source: { type: 'caller-identity', signed: true, ...more } }];
const forwards = (from?: string) => [{ name: 'X-User-Token', source: { type: 'caller-token', ...(from && { from }) } }];
const pasted = (issuer: string) => ({ type: 'passthrough', jwt: { jwksUrl: 'https://login.example/jwks', issuer, audience: 'tickets' } });
const stored = () => fixture.query('select document, revision from servers');

describe('administrators register servers that use what others have connected', () => {
  test.each<[string, object]>([
    ['at an app', app],
    ['for everyone, at an app', { ...app, shared: true }],
    ['for everyone, at the upstream', { type, discover: true, shared: true }],
  ])('%s', async (_what, appAuth) => {
    expect((await create({ appAuth }, editor)).body).toMatchObject(forbidden('/appAuth'));
    expect(await stored()).toEqual([]);
    expect((await create({ appAuth })).status).toBe(201);
  });

  test('of people’s own credentials', async () => {
    expect((await create({ outboundHeaders: stores('user') }, editor)).body).toMatchObject(forbidden('/outboundHeaders'));
    expect((await create({ outboundHeaders: stores('user') })).status).toBe(201);
  });

  test.each<[string, object, string]>([
    ['exchanged at another provider', { appAuth: exchange }, '/appAuth'],
    ['exchanged for a header', { outboundHeaders: [{ name: 'X-User-Token', source: exchange }] }, '/outboundHeaders'],
    ['forwarded', { outboundHeaders: [{ name: 'X-User-Token', source: { type: 'caller-token' } }] }, '/outboundHeaders'],
  ])('of people’s logins, %s', async (_what, overrides, pointer) => {
    expect((await create(overrides, editor)).body).toMatchObject(forbidden(pointer));
    expect((await create(overrides)).status).toBe(201);
    expect((await change('PATCH', { upstream: evil }, editor)).body).toMatchObject(forbidden('/upstream/url'));
    expect((await change('PATCH', { title: 'Tickets' }, editor)).status).toBe(200);
  });

  test('that are told who calls by the gateway’s signature, and for whom it is', async () => {
    expect((await create({ outboundHeaders: signed() }, editor)).body).toMatchObject(forbidden('/outboundHeaders'));
    expect((await create({ outboundHeaders: signed() })).status).toBe(201);
    const audience = { outboundHeaders: signed({ audience: 'https://payroll.example' }) };
    expect((await change('PATCH', audience, editor)).body).toMatchObject(forbidden('/outboundHeaders'));
    expect((await change('PATCH', audience)).status).toBe(200);
    expect((await change('PATCH', { outboundHeaders: signed({ audience: 'https://crm.example' }) }, editor)).body).toMatchObject(forbidden('/outboundHeaders'));
    expect((await change('PATCH', { upstream: evil }, editor)).body).toMatchObject(forbidden('/upstream/url'));
    expect((await change('PATCH', { title: 'Tickets' }, editor)).status).toBe(200);
  });

  test('editors the others: a stored secret, one of the workspace, and what each person connects at the upstream itself', async () => {
    expect((await create({}, editor)).status).toBe(201);
    expect((await create({ name: 'own', appAuth: { type, discover: true } }, editor)).status).toBe(201);
    expect((await create({ name: 'exchanging', agentAuth: { type: 'passthrough', jwt: { jwksUrl: 'https://login.example/jwks' } }, appAuth: { ...exchange, subject: 'caller-token' } }, editor)).status).toBe(201);
    expect((await create({ name: 'keyed', outboundHeaders: stores('workspace') }, editor)).status).toBe(201);
    expect((await create({ name: 'told', outboundHeaders: [{ name: 'X-User', source: { type: 'caller-identity', claim: 'email' } }] }, editor)).status).toBe(201);
  });
});

describe('administrators say where connections are used', () => {
  const discovered = { type, discover: true };
  const bearer = { type: 'bearer', token: 't' };
  test.each<[string, object, object, string[]]>([
    ['another upstream', { appAuth: app }, { upstream: evil }, ['/upstream/url']],
    ['another port', { appAuth: app }, { upstream: { url: 'https://good.example:8443/mcp' } }, ['/upstream/url']],
    ['another path', { appAuth: app }, { upstream: { url: 'https://good.example/other/mcp' } }, ['/upstream/url']],
    ['the path above', { appAuth: app }, { upstream: { url: 'https://good.example/' } }, ['/upstream/url']],
    ['a path that begins the same', { appAuth: app }, { upstream: { url: 'https://good.example/mcp-of-others' } }, ['/upstream/url']],
    ['a path that leads out of itself, for some upstreams', { appAuth: app }, { upstream: { url: 'https://good.example/mcp/..%2fother' } }, ['/upstream/url']],
    ['another path of people’s own credentials', { outboundHeaders: stores('user') }, { upstream: { url: 'https://good.example/other' } }, ['/upstream/url']],
    ['another app', { appAuth: app }, { appAuth: { app: 'gitlab' } }, ['/appAuth']],
    ['more scopes', { appAuth: app }, { appAuth: { scopes: ['repo'] } }, ['/appAuth']],
    ['one connection for all', { appAuth: app }, { appAuth: { shared: true } }, ['/appAuth']],
    ['each their own', { appAuth: { ...app, shared: true } }, { appAuth: { shared: null } }, ['/appAuth']],
    ['none any more', { appAuth: app }, { appAuth: bearer }, ['/appAuth']],
    ['those of an app, from now on', {}, { appAuth: app }, ['/appAuth']],
    ['those of an app in the place of its own', { appAuth: discovered }, { appAuth: { ...app, discover: null } }, ['/appAuth']],
    ['those of an app, elsewhere', {}, { appAuth: app, upstream: evil }, ['/appAuth', '/upstream/url']],
    ['another token URL of people’s logins', { appAuth: exchange }, { appAuth: { tokenUrl: 'https://evil.example/token', clientSecret: 't' } }, ['/appAuth']],
    ['another upstream of people’s own credentials', { outboundHeaders: stores('user') }, { upstream: evil }, ['/upstream/url']],
    ['another credential of people', { outboundHeaders: stores('user') }, { outboundHeaders: stores('user', 'crm') }, ['/outboundHeaders']],
    ['people’s own in the place of the workspace’s', { outboundHeaders: stores('workspace') }, { outboundHeaders: stores('user') }, ['/outboundHeaders']],
    ['other tokens of callers, exchanged', { agentAuth: pasted('idp'), appAuth: exchange }, { agentAuth: pasted('other') }, ['/agentAuth']],
    ['callers of whom nothing is checked', { appAuth: app }, { agentAuth: { type: 'passthrough' } }, ['/agentAuth']],
    ['other people’s word for who calls', { outboundHeaders: signed() }, { agentAuth: pasted('okta') }, ['/agentAuth']],
    ['credentials that people entered, for other callers', { outboundHeaders: stores('user') }, { agentAuth: pasted('okta') }, ['/agentAuth']],
    ['those of an app, for other callers', {}, { appAuth: app, agentAuth: pasted('okta') }, ['/appAuth', '/agentAuth']],
    ['the shared one, elsewhere', { appAuth: { ...discovered, shared: true } }, { upstream: evil }, ['/upstream/url']],
  ])('%s', async (_what, before, patch, pointers) => {
    await create(before);
    const was = await stored();
    expect((await change('PATCH', patch, editor)).body).toMatchObject(forbidden(...pointers));
    expect(await stored()).toEqual(was);
    expect((await change('PATCH', patch)).status).toBe(200);
  });

  test('with a whole document as well', async () => {
    await create({ appAuth: app });
    expect((await change('PUT', documentOf({ appAuth: app, upstream: evil }), editor)).body).toMatchObject(forbidden('/upstream/url'));
    expect((await change('PUT', documentOf({ appAuth: app, title: 'Tickets' }), editor)).status).toBe(200);
  });

  test('where this release does not take what is stored', async () => {
    await create({ appAuth: app });
    await fixture.query(`update servers set document = 'null'`);
    expect((await change('PUT', documentOf({ appAuth: app }), editor)).body).toMatchObject({ code: 'forbidden' });
  });
});

test.each<[string, object, object]>([
  ['everything else', { appAuth: app }, { title: 'Tickets', access: { tools: { deny: ['delete_*'] } }, enabled: false }],
  ['the name', { appAuth: app }, { name: 'renamed' }],
  ['the path, to one below', { appAuth: app }, { upstream: { url: 'https://good.example/mcp/v2' } }],
  ['the path of a stored secret', {}, { upstream: { url: 'https://good.example/v2/mcp' } }],
  ['the upstream of what each person connects there', { appAuth: { type, discover: true } }, { upstream: evil }],
  ['the upstream of a stored secret', {}, { upstream: evil }],
  ['who calls, where nothing is other people’s', {}, { agentAuth: pasted('okta') }],
])('editors change %s', async (_what, before, patch) => {
  await create(before);
  expect((await change('PATCH', patch, editor)).status).toBe(200);
});

test('editors delete any', async () => {
  await create({ appAuth: app });
  expect((await fixture.plane.send('DELETE', `${servers}/tickets`, { headers: { 'If-Match': '*' }, authorization: editor })).status).toBe(204);
});

test.each<[string, object, object, boolean]>([
  ['the tokens of an app go elsewhere', { appAuth: app }, { upstream: evil }, true],
  ['those of the organisation do', { appAuth: { type, discover: true, shared: true } }, { upstream: evil }, true],
  ['a secret does', {}, { upstream: evil }, true],
  ['a credential of the workspace does', { appAuth: { type: 'none' }, outboundHeaders: stores('workspace') }, { upstream: evil }, true],
  ['what people entered does', { appAuth: { type: 'none' }, outboundHeaders: stores('user') }, { upstream: evil }, true],
  ['the tokens of logins do', { appAuth: { type: 'none' }, agentAuth: { type: 'interactive' }, outboundHeaders: forwards() }, { upstream: evil }, true],
  ['the tokens that callers bring do', { appAuth: { type: 'none' }, agentAuth: pasted('okta'), outboundHeaders: forwards('caller') }, { upstream: evil }, true],
  ['the tokens of logins are sent from then on', { appAuth: { type: 'none' }, agentAuth: { type: 'interactive' } }, { upstream: evil, outboundHeaders: forwards() }, false],
  ['what each connects at the upstream ends', { appAuth: { type, discover: true } }, { upstream: evil }, false],
  ['the tokens of an app go to another path', { appAuth: app }, { upstream: { url: 'https://good.example/v2' } }, true],
  ['a secret does, at another path', {}, { upstream: { url: 'https://good.example/v2' } }, true],
  ['it is a path below', { appAuth: app }, { upstream: { url: 'https://good.example/mcp/v2?beta' } }, false],
  ['there were none before', { appAuth: { type: 'none' } }, { upstream: evil, appAuth: app }, false],
])('administrators are warned where %s', async (_what, before, patch, isWarned) => {
  await create(before);
  const { body } = await change('PATCH', patch);
  expect(body.warnings.some(({ code }) => code === 'secret_follows_new_origin')).toBe(isWarned);
});
