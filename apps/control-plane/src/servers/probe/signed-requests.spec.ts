import { Secret } from '@gatehouse/sealing';
import { afterEach, expect, it } from 'vitest';
import { type RecordingUpstream, startRecordingUpstream } from '../../../../../test/support/recording-upstream.ts';
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
  await gate.close();
  await upstream.close();
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
