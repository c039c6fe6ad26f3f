import type { AccessToken, TokenSource } from '@gatehouse/access-tokens';
import { completeServer, type UpstreamServerDocument } from '@gatehouse/gateway-config';
import { Secret } from '@gatehouse/sealing';
import { afterEach, expect, it } from 'vitest';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../../../../../test/support/recording-upstream.ts';
import { answerAsMcp } from '../../../../../test/support/answer-as-mcp.ts';
import { type Sigv4Gate, startSigv4Gate } from '../../../../../test/support/sigv4-gate.ts';
import { localOnly, serverAt } from './probe.fixture.ts';
import { testServer } from './test-server.ts';

const account = { region: 'eu-central-1', service: 'execute-api', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the-secret-access-key' };
const appAuth = (key: string) => ({ type: 'aws-sigv4', ...account, secretAccessKey: new Secret(key) }) as const;

let upstream: RecordingUpstream;
let gate: Sigv4Gate;
const start = async (): Promise<void> => {
  upstream = await startRecordingUpstream();
  gate = await startSigv4Gate(account, upstream.origin);
};
afterEach(async () => {
  await gate?.close();
  await upstream?.close();
});

it('signs each request that a test makes, a redirected one again', async () => {
  await start();
  upstream.handle((request, response) => (request.url.startsWith('/mcp/') ? answerAsMcp(request, response) : void response.writeHead(307, { location: '/mcp/?page=1' }).end()));
  const report = await testServer(serverAt(`${gate.origin}/mcp?a=b%20c`, appAuth(account.secretAccessKey)), localOnly);
  expect(report.outcome).toBe('passed');
  expect([...new Set(gate.admitted.map(({ url }) => url))]).toEqual(['/mcp?a=b%20c', '/mcp/?page=1']);
  expect(gate.refused).toEqual([]);
});

it('says which credential was refused, and nothing of it', async () => {
  await start();
  const report = await testServer(serverAt(`${gate.origin}/mcp`, appAuth('another-secret-access-key')), localOnly);
  expect(report.steps.find(({ outcome }) => outcome === 'failed')).toMatchObject({ step: 'authenticate', reason: 'upstream_rejected_credentials', advice: expect.stringContaining('aws-sigv4') as unknown });
  expect(JSON.stringify(report)).not.toMatch(/secret-access-key/);
});

it('proves each request with the nonce that the upstream wants, and tells nothing of the token (RFC 9449 section 9)', async () => {
  upstream = await startRecordingUpstream({ handler: (request, response) => {
    if (headerValue(request, 'dpop')?.endsWith(' nonce-1')) return answerAsMcp(request, response);
    return void response.writeHead(401, { 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"', 'DPoP-Nonce': 'nonce-1' }).end();
  } });
  let nonce = 'none';
  const bound: AccessToken = {
    value: new Secret('bound-token-0123456789'), expiresAt: undefined, subjects: [], key: { proofOf: ({ method, url }) => `${method} ${url} ${nonce}`, learn: (_url, wanted) => void (nonce = wanted) },
  };
  const tokens = { ofExchange: () => bound } as unknown as TokenSource;
  const exchange = { type: 'on-behalf-of', tokenUrl: 'https://id.example/token', clientId: 'c', clientSecret: 's', dpop: true };
  const server = completeServer.parse({ name: 'probed', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, appAuth: exchange }) as UpstreamServerDocument;
  const context = { tokens, caller: { id: 'token:jo', kind: 'token', name: 'jo', groups: [] }, callerToken: { value: new Secret('of-jo'), expiresAt: undefined } } as const;
  const report = await testServer(server, { ...localOnly, context });
  expect(report.outcome).toBe('passed');
  expect(upstream.requests.slice(0, 2).map((request) => headerValue(request, 'dpop'))).toEqual([`POST ${upstream.url} none`, `POST ${upstream.url} nonce-1`]);
  expect(upstream.requests.filter((request) => headerValue(request, 'dpop')?.endsWith(' none'))).toHaveLength(1);
  expect(JSON.stringify(report)).not.toContain('bound-token');
});
