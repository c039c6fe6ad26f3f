import { completeServer, noGlobalPolicy } from '@gatehouse/gateway-config';
import { expect, it } from 'vitest';
import { cleanHeaders } from './caller-headers.ts';
import { composeRequest } from './compose-request.ts';
import { explainedHeaders } from './explained-headers.ts';
import { obtainCredentials } from './obtain-credentials.ts';
import { prepareServer } from './prepared-server.ts';

const call = { method: 'POST', era: 'legacy', body: '{}', upstreamSession: undefined } as const;

/** Each header that leaves, with the action and the rule that it is there by. */
async function explain(document: object, ...rows: string[]): Promise<[string, string, string][]> {
  const upstream = { url: 'https://orders.example/mcp' };
  const server = prepareServer('id', 'default', completeServer.parse({ name: 'orders', type: 'mcp', upstream, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' }, ...document }));
  const headers = cleanHeaders(rows, { maxBytes: 32_768, maxCount: 100 });
  const credentials = await obtainCredentials(server);
  const composed = composeRequest({ server, headerPolicy: noGlobalPolicy, call, rows, headers, credentials, path: '/mcp', userAgent: 'gatehouse/test' });
  return explainedHeaders(composed, server).map(({ name, verdict }) => [name, verdict.action, verdict.rule]);
}

const protocol: [string, string, string][] = [['user-agent', 'set', 'protocol'], ['content-type', 'set', 'protocol']];

it('what the gateway puts in is set by the part of the configuration that says so', async () => {
  const outboundHeaders = [{ name: 'X-Service', source: { type: 'static', value: 's' } }];
  expect(await explain({ appAuth: { type: 'bearer', token: 't' }, outboundHeaders }, 'Authorization', 'Bearer a')).toEqual([
    ...protocol, ['Authorization', 'set', 'appAuth bearer'], ['X-Service', 'set', 'outboundHeaders X-Service'],
  ]);
});

it('what passes keeps the verdict that it passed by, each of several with one name its own', async () => {
  const headerPolicy = { mode: 'mappings', mappings: [{ source: 'X-A', target: 'X-C' }, { source: 'X-B' }] };
  expect(await explain({ headerPolicy }, 'x-a', '1', 'x-b', '2', 'X-A', '3', 'X-Other', '4')).toEqual([
    ...protocol, ['X-C', 'renamed', 'mapping X-A → X-C'], ['X-B', 'kept', 'mapping X-B → X-B'], ['X-C', 'renamed', 'mapping X-A → X-C'],
  ]);
});

it('Authorization that leaves, and a base header that is replaced, are the caller’s', async () => {
  const document = { appAuth: { type: 'passthrough' }, headerPolicy: { mode: 'all', overwriteBaseHeaders: true } };
  expect(await explain(document, 'User-Agent', 'mine', 'X-Upstream-Authorization', 'Bearer a', 'X-Last', '1')).toEqual([
    ['content-type', 'set', 'protocol'], ['User-Agent', 'replaced', 'mode all'], ['X-Last', 'kept', 'mode all'], ['Authorization', 'renamed', 'X-Upstream-Authorization'],
  ]);
});

it('a credential that takes the place of a protocol header is the one that is told', async () => {
  const appAuth = { type: 'custom-headers', headers: [{ name: 'User_Agent', value: 'v' }, { name: 'Traceparent', value: 'v' }] };
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  expect(await explain({ appAuth }, 'traceparent', traceparent)).toEqual([
    ['content-type', 'set', 'protocol'], ['User_Agent', 'set', 'appAuth custom-headers'], ['Traceparent', 'set', 'appAuth custom-headers'],
  ]);
});
