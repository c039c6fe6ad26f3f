import { agentAuthTypes } from '@gatehouse/agent-auth';
import { appAuthTypes } from '@gatehouse/app-auth';
import type { ReadableServer } from '@gatehouse/gateway-config';
import { outboundHeaderRecipes, outboundHeaderSources } from '@gatehouse/outbound-headers';
import type { Heartbeat } from '@gatehouse/snapshot-channel';
import { expect, test } from 'vitest';
import { sampleServer } from './spec-support/sample-server.ts';
import { useControlPlane } from './spec-support/use-control-plane.ts';

const fixture = useControlPlane();

test('every authentication type is listed with the schema of its form, in which secrets are marked', async () => {
  const { body } = await fixture.plane.send<Record<'agentAuth' | 'appAuth' | 'outboundHeaders', { type: string; schema: unknown }[]>>('GET', '/v1/auth-types');
  expect(body.agentAuth.map(({ type }) => type)).toEqual(agentAuthTypes.map(({ type }) => type));
  expect(body.appAuth.map(({ type }) => type)).toEqual(appAuthTypes.map(({ type }) => type));
  expect(body.outboundHeaders.map(({ type }) => type)).toEqual(outboundHeaderSources.map(({ type }) => type));
  const exchange = body.outboundHeaders.find(({ type }) => type === 'on-behalf-of');
  expect(exchange?.schema).toMatchObject({ properties: { clientSecret: { title: 'Client secret', writeOnly: true }, target: { properties: { clientSecret: { writeOnly: true } } } } });
  const bearer = body.appAuth.find(({ type }) => type === 'bearer');
  expect(bearer?.schema).toMatchObject({ properties: { type: { const: 'bearer' }, token: { title: 'Token', writeOnly: true } } });
});

test('recipes for outbound headers are listed as they are', async () => {
  const { body } = await fixture.plane.send<{ recipes: unknown }>('GET', '/v1/auth-types');
  expect(body.recipes).toEqual(outboundHeaderRecipes);
});

test('data planes that serve another revision than the newest are marked', async () => {
  const { body: server } = await fixture.plane.send<ReadableServer>('POST', '/v1/workspaces/default/servers', { body: sampleServer('orders') });
  const heartbeat = (id: string, revision: number | undefined): Heartbeat => ({
    id, revision, version: '0.1.0', hash: 'x', ageSeconds: 1, source: 'channel', rejects: [], draining: false, reportedAt: new Date().toISOString(),
  });
  for (const [id, revision] of [['current', server.revision], ['behind', server.revision - 1], ['empty', undefined]] as const) {
    await fixture.plane.channel.reportHeartbeat(heartbeat(id, revision));
  }
  const { body } = await fixture.plane.send<{ revision: number; items: { id: string; drift: boolean }[] }>('GET', '/v1/data-planes');
  expect(body.revision).toBe(server.revision);
  expect(body.items.map(({ id, drift }) => [id, drift])).toEqual([['behind', true], ['current', false], ['empty', true]]);
});
