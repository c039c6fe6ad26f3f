import { openDocument, type ReadableServer, type ReadableWorkspace, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { until } from '../spec-support/start-test-control-plane.ts';
import { authorizationRequest, authorize, connected, resourceUrl, useAgents } from '../spec-support/use-agents.ts';

const fixture = useAgents();
const path = '/v1/workspaces/tenant-b';
const change = <Body = ReadableWorkspace>(method: string, body: unknown, ifMatch: string | undefined = '*') =>
  fixture.plane.send<Body>(method, path, { body, headers: ifMatch === '' ? {} : { 'If-Match': ifMatch } });

async function publishedAccess(id: string): Promise<unknown> {
  const { channel, environment } = fixture.plane;
  const [sealed] = await channel.readDocuments([id]);
  return sealed && openDocument(snapshotKeysOf([parseKey(environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]), sealed);
}

test('who belongs to a workspace is said when it is made, replaced, changed, and reaches the data planes', async () => {
  const sales = { allow: [{ group: 'sales', identityProvider: 'corp' }] };
  const created = await fixture.plane.send<ReadableWorkspace>('POST', '/v1/workspaces', { body: { name: 'tenant-b', access: sales } });
  expect([created.status, created.body]).toMatchObject([201, { kind: 'Workspace', name: 'tenant-b', access: sales, revision: 1, warnings: [] }]);
  const { id } = created.body;
  await until(async () => (await publishedAccess(id)) !== undefined);
  expect(await publishedAccess(id)).toEqual({ kind: 'workspace', id, name: 'tenant-b', access: sales });
  const etag = created.headers.get('etag') ?? '';
  expect((await change('PATCH', { access: null }, '')).status).toBe(428);
  const opened = await change('PATCH', { access: null }, etag);
  expect([opened.status, opened.body.access, opened.body.revision]).toEqual([200, undefined, 2]);
  await until(async () => JSON.stringify(await publishedAccess(id)) === JSON.stringify({ kind: 'workspace', id, name: 'tenant-b' }));
  expect((await change('PUT', { name: 'tenant-b', access: sales }, etag)).status).toBe(412);
  const closed = await change('PUT', { name: 'tenant-b', access: sales });
  expect(closed.body).toMatchObject({ access: sales, revision: 3 });
  expect((await change('PUT', closed.body)).body).toEqual(closed.body);
  expect((await change('PUT', { name: 'renamed' })).body).toMatchObject({ status: 422, errors: [{ pointer: '/name', code: 'name_fixed' }] });
  expect((await change('PATCH', { access: { allow: [{ serviceAccount: 'ci' }] } })).status).toBe(422);
  const { body } = await fixture.plane.send<{ items: { action: string; fields: string[] }[] }>('GET', '/v1/audit-events?limit=3');
  expect(body.items.map(({ action, fields }) => [action, fields])).toEqual([['workspace.changed', ['/access']], ['workspace.changed', ['/access']], ['workspace.created', ['/access', '/name']]]);
});

test('nobody from outside gets a token for its servers', async () => {
  const created = await fixture.plane.send<ReadableServer>('POST', `${path}/servers`, { body: sampleServer('ledger', { agentAuth: { type: 'interactive' } }) });
  expect(created.body.warnings).toEqual([]);
  const { tokens } = await connected(fixture, { overrides: { resource: resourceUrl('ledger', 'tenant-b') } });
  expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: resourceUrl('ledger', 'tenant-b') });
  const agent = await fixture.register();
  const page = await authorize(fixture.browser(), authorizationRequest(agent, { resource: resourceUrl('ledger', 'tenant-b') }), 'ben');
  expect([page.url.searchParams.get('code'), page.url.host]).toEqual([null, 'gatehouse.example']);
});

test('a server of an open workspace beside others says so', async () => {
  const { body } = await fixture.plane.send<ReadableServer>('GET', '/v1/workspaces/default/servers/orders');
  expect(body.warnings).toMatchObject([{ code: 'workspace_open' }]);
});
