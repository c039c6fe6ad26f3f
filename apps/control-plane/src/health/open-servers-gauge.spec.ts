import { expect, test } from 'vitest';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { sampleServer } from '../spec-support/sample-server.ts';
import { startTestControlPlane, until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const servers = '/v1/workspaces/default/servers';
const passthrough = { type: 'passthrough' };
const none = { type: 'none' };
const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', alg: 'EdDSA', use: 'sig' }] };

async function openServers(internalUrl = fixture.plane.internalUrl): Promise<Record<string, number>> {
  const text = await (await fetch(new URL('/metrics', internalUrl))).text();
  expect(text).toContain('process_cpu_seconds_total');
  return Object.fromEntries([...text.matchAll(/^gatehouse_open_servers\{credential="(\w+)"\} (\d+)$/gm)].map(([, credential = '', count]) => [credential, Number(count)]));
}

async function create(name: string, overrides: Record<string, unknown>): Promise<void> {
  const reply = await fixture.plane.send('POST', servers, { body: sampleServer(name, overrides) });
  expect(reply.status, reply.text).toBe(201);
}

test('servers that let anybody in are counted, whatever the workspace; those that check, or are switched off, are not', async () => {
  expect(await openServers()).toEqual({ stored: 0, none: 0 });
  await create('keyed', {});
  await create('checked', { agentAuth: { ...passthrough, jwt: { jwks } } });
  await create('off', { agentAuth: passthrough, enabled: false });
  expect(await openServers()).toEqual({ stored: 0, none: 0 });
  await create('open', { agentAuth: passthrough });
  await create('open-header', { agentAuth: passthrough, appAuth: none, outboundHeaders: [{ name: 'X-Key', source: { type: 'static', value: 'k' } }] });
  await create('open-restricted', { agentAuth: { ...passthrough, restrictedHeaders: ['x-internal-*'] } });
  await create('public', { agentAuth: passthrough, appAuth: none });
  await create('forwarding', { agentAuth: passthrough, appAuth: passthrough });
  await create('open-shared', { agentAuth: passthrough, appAuth: { type: 'oauth-authorization-code', app: 'github', shared: true } });
  await create('open-credential', { agentAuth: passthrough, appAuth: none, outboundHeaders: [{ name: 'X-Key', source: { type: 'credential', name: 'k', scope: 'workspace' } }] });
  await create('of-nobody', { agentAuth: passthrough, appAuth: { type: 'oauth-authorization-code', app: 'github' } });
  expect(await openServers()).toEqual({ stored: 5, none: 3 });
});

test('what another replica changed is counted, and what makes no sense is not', async () => {
  await fixture.query(`update servers set document = document || '{"agentAuth": {"type": "of-tomorrow"}}' where name = 'open'`);
  await fixture.query(`update servers set document = '[]' where name = 'public'`);
  expect(await openServers()).toEqual({ stored: 4, none: 2 });
});

test('while the database is away the number is absent, and the other metrics are there', async () => {
  const url = new URL(fixture.databaseUrl);
  const line = await startTcpProxy({ targetPort: Number(url.port) });
  url.port = String(line.port);
  const plane = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_DATABASE_URL: url.href } });
  try {
    await until(async () => (await openServers(plane.internalUrl))['stored'] === 4);
    await line.set({ mode: 'down' });
    line.dropConnections();
    expect(await openServers(plane.internalUrl)).toEqual({});
    await line.set({ mode: 'up' });
    await until(async () => (await openServers(plane.internalUrl))['stored'] === 4);
    await line.set({ mode: 'timeout' });
    expect(await openServers(plane.internalUrl)).toEqual({});
  } finally {
    await line.set({ mode: 'up' });
    line.dropConnections();
    await plane.close();
    await line.close();
  }
});
