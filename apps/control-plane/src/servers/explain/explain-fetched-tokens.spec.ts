import type { Caller } from '@gatehouse/agent-auth';
import { completeServer, noGlobalPolicy } from '@gatehouse/gateway-config';
import { prepareServer } from '@gatehouse/upstream-request';
import { expect, it } from 'vitest';
import { someone } from './caller-authentication.ts';
import { explainRequest } from './explain-request.ts';
import { presentExplanation } from './present-explanation.ts';
import { readGivenRequest } from './read-given-request.ts';

const ana: Caller = { id: 'person:ana', kind: 'person', name: 'Ana', groups: [], subject: '01919e1c-0000-7000-8000-00000000a0a0' };
const ci: Caller = { id: 'service-account:ci', kind: 'service-account', name: 'ci', groups: [] };
const gateway = 'https://gatehouse.example';
const jo: Caller = { id: 'token:jo', kind: 'token', name: 'jo', groups: [], subject: 'jo', claims: { iss: 'https://issuer.example', exp: 1_800_000_000 } };
const client = { type: 'oauth-client-credentials', tokenUrl: 'https://provider.example/token?tenant=1', clientId: 'c', clientSecret: 'the-client-secret-0123456789' };

async function explain(appAuth: object, caller: Caller, more: object = {}, headers: readonly string[] = []) {
  const document = completeServer.parse({ name: 'orders', type: 'mcp', upstream: { url: 'https://up.example/mcp' }, agentAuth: { type: 'passthrough' }, appAuth, ...more });
  const server = prepareServer('01919e1c-0000-7000-8000-000000000001', 'default', document);
  const given = readGivenRequest({ request: { headers: ['X-Tenant: acme', ...headers] } });
  return presentExplanation(given, await explainRequest(server, noGlobalPolicy, given, () => Promise.resolve(caller), gateway), server);
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

const exchange = { type: 'on-behalf-of', tokenUrl: 'https://provider.example/token?tenant=1', clientId: 'c', clientSecret: 'the-client-secret-0123456789' };
const idJag = { ...exchange, grant: 'id-jag', audience: 'https://as.example' };
const authorization = ['Authorization: Bearer the.token.of-jo-0123456789'];

it.each<[string, object, Caller, string[], string]>([
  ['a person', exchange, ana, [], 'POST https://provider.example/token, with the token that the caller has'],
  ['whoever came with a token', { ...exchange, subject: 'caller-token' }, jo, authorization, 'POST https://provider.example/token, with the caller’s token'],
  ['whoever would be let in', { ...exchange, subject: 'identity-provider-token' }, someone, [], 'POST https://provider.example/token, with the token of the caller’s identity provider'],
  ['a person, by an assertion', idJag, ana, [], 'POST https://provider.example/token, with the token that the caller has; then POST the token endpoint of https://as.example'],
])('says what would be asked for a token on behalf of %s', async (_name, appAuth, caller, headers, wouldCall) => {
  const { credentials } = await explain(appAuth, caller, {}, headers);
  expect(credentials).toEqual([{ source: 'appAuth on-behalf-of', location: { in: 'header', name: 'Authorization' }, wouldCall }]);
});

it('shows that a proof goes along with a token that is bound to a key, and nothing of it', async () => {
  const outboundHeaders = [{ name: 'X-User', source: exchange }];
  const { credentials, request, verdicts } = await explain({ ...exchange, dpop: true }, jo, { outboundHeaders }, [...authorization, 'DPoP: the.proof.of-jo-0123456789']);
  const source = 'appAuth on-behalf-of';
  const wouldCall = 'POST https://provider.example/token, with the token that the caller has';
  expect(credentials).toEqual([
    { source, location: { in: 'header', name: 'Authorization' }, wouldCall }, { source, location: { in: 'header', name: 'DPoP' }, wouldCall },
    { source: 'outboundHeaders X-User', location: { in: 'header', name: 'X-User' }, wouldCall },
  ]);
  expect(verdicts.filter(({ name }) => name === 'DPoP')).toMatchObject([{ action: 'dropped' }, { action: 'set', rule: source, from: 'server' }]);
  expect(request?.headers.filter(({ secret }) => secret).map(({ name }) => name)).toEqual(['X-User', 'Authorization', 'DPoP']);
  expect(JSON.stringify(request)).not.toMatch(/token"|proof|Bearer/);
});

it('says it of outbound headers, each by itself, and shows no token', async () => {
  const source = { type: 'service-token', tokenUrl: 'https://service.example/token', clientId: 'c', clientSecret: 's' };
  const outboundHeaders = [{ name: 'X-Service', source }, { name: 'X-Caller', source: { type: 'caller-token' } }, { name: 'X-User', source: exchange }];
  const explained = await explain({ type: 'none' }, jo, { outboundHeaders }, authorization);
  expect(explained.credentials.map(({ location, wouldCall }) => [location.name, wouldCall])).toEqual([
    ['X-Service', 'POST https://service.example/token'], ['X-Caller', undefined], ['X-User', 'POST https://provider.example/token, with the token that the caller has'],
  ]);
  expect(JSON.stringify(explained)).not.toContain('the.token.of-jo');
});

it('says that a caller without a token has none, and that the gateway’s own is none (D2)', async () => {
  const own: Caller = { ...jo, claims: { iss: gateway } };
  for (const caller of [ci, own]) expect((await explain(exchange, caller, {}, authorization)).refused).toMatchObject({ code: 'subject_token_missing', status: 403 });
});
