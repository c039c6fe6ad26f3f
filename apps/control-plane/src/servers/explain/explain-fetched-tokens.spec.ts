import type { Caller } from '@gatehouse/agent-auth';
import { completeServer, noGlobalPolicy } from '@gatehouse/gateway-config';
import { prepareServer } from '@gatehouse/upstream-request';
import { expect, it } from 'vitest';
import { explainRequest } from './explain-request.ts';
import { presentExplanation } from './present-explanation.ts';
import { readGivenRequest } from './read-given-request.ts';

const ana: Caller = { id: 'person:ana', kind: 'person', name: 'Ana', groups: [], subject: '01919e1c-0000-7000-8000-00000000a0a0' };
const ci: Caller = { id: 'service-account:ci', kind: 'service-account', name: 'ci', groups: [] };
const client = { type: 'oauth-client-credentials', tokenUrl: 'https://provider.example/token?tenant=1', clientId: 'c', clientSecret: 'the-client-secret-0123456789' };

async function explain(appAuth: object, caller: Caller) {
  const document = completeServer.parse({ name: 'orders', type: 'mcp', upstream: { url: 'https://up.example/mcp' }, agentAuth: { type: 'passthrough' }, appAuth });
  const server = prepareServer('01919e1c-0000-7000-8000-000000000001', 'default', document);
  const given = readGivenRequest({ request: { headers: ['X-Tenant: acme'] } });
  return presentExplanation(given, await explainRequest(server, noGlobalPolicy, given, () => Promise.resolve(caller)), server);
}

it.each<[string, object, string]>([
  ['a person’s connection', { type: 'oauth-authorization-code', app: 'github' }, 'the token broker, for the caller’s connection with the app github'],
  ['the organisation’s', { type: 'oauth-authorization-code', discover: true, shared: true }, 'the token broker, for the shared connection with the upstream'],
  ['a client of our own', client, 'POST https://provider.example/token'],
])('says what would be asked for the token of %s, and asks nobody', async (_name, appAuth, wouldCall) => {
  const { credentials, request } = await explain(appAuth, ana);
  expect(credentials).toEqual([{ source: `appAuth ${(appAuth as { type: string }).type}`, location: { in: 'header', name: 'Authorization' }, wouldCall }]);
  expect(request?.headers.find(({ name }) => name === 'Authorization')).toMatchObject({ secret: true });
});

it('says that a caller who is no person gets none', async () => {
  expect((await explain({ type: 'oauth-authorization-code', app: 'github' }, ci)).refused).toMatchObject({ code: 'connection_needs_person', status: 403 });
});
