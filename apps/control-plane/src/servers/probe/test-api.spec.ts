import { completeServer, type UpstreamServerDocument } from '@gatehouse/gateway-config';
import { afterEach, expect, it } from 'vitest';
import { headerPairs, type RecordingHandler, startRecordingUpstream } from '../../../../../test/support/recording-upstream.ts';
import { apiKey, apiKeyValue, localOnly } from './probe.fixture.ts';
import { testReport, type TestReport } from './probe-results.ts';
import { testServer } from './test-server.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

const operation = { name: 'list', method: 'GET', path: '/pets', parameters: [], accept: 'application/json', inputSchema: { type: 'object' }, annotations: {} };

async function testApi(handler: RecordingHandler, { names = ['list', 'show'], appAuth = apiKey() } = {}) {
  const upstream = await startRecordingUpstream({ handler });
  cleanUps.push(() => upstream.close());
  const server = completeServer.parse({
    name: 'pets', type: 'api', upstream: { url: `${upstream.origin}/v1` }, agentAuth: { type: 'api-key' }, appAuth, tools: { operations: names.map((name) => ({ ...operation, name })) },
  }) as UpstreamServerDocument;
  const report = await testServer(server, localOnly);
  expect(testReport.parse(report)).toEqual(report);
  return { report, upstream };
}
const steps = ({ steps: all }: TestReport) => all.map(({ step, outcome, reason }) => [step, outcome, ...(reason === undefined ? [] : [reason])]);
const reached = [['resolve', 'skipped'], ['connect', 'passed'], ['tls', 'skipped']];
const answering = (status: number, headers: Record<string, string> = {}, body = '{}'): RecordingHandler => (_request, response) => void response.writeHead(status, headers).end(body);

it('an API is asked once for its base URL, with the credential', async () => {
  const { report, upstream } = await testApi(answering(200));
  expect([report.outcome, ...steps(report)]).toEqual(['passed', ...reached, ['authenticate', 'passed'], ['list-tools', 'passed']]);
  expect(report.steps.at(-1)?.detail).toBe('2 tools: list, show.');
  expect(upstream.requests.map((request) => [request.method, request.url, headerPairs(request, 'X-Api-Key')])).toEqual([['GET', '/v1', [['X-Api-Key', apiKeyValue]]]]);
});

it('it may have nothing there', async () => {
  const { report } = await testApi(answering(404));
  expect(report.outcome).toBe('passed');
  expect(report.steps[3]).toMatchObject({ outcome: 'passed', detail: expect.stringContaining('404') as string, advice: expect.any(String) as string });
});

it.each([
  [401, 'upstream_rejected_credentials'],
  [403, 'upstream_rejected_credentials'],
  [503, 'upstream_failed'],
])('HTTP %d is a failure, and the secret is not repeated', async (status, reason) => {
  const { report } = await testApi(answering(status, {}, `no: ${apiKeyValue}`));
  expect([report.outcome, ...steps(report)]).toEqual(['failed', ...reached, ['authenticate', 'failed', reason], ['list-tools', 'skipped']]);
  expect(JSON.stringify(report)).not.toContain(apiKeyValue);
});

it('it sends nowhere else', async () => {
  const { report } = await testApi(answering(302, { Location: 'https://elsewhere.example/' }));
  expect(steps(report)[3]).toEqual(['authenticate', 'failed', 'upstream_redirected']);
});

it('no tools are worth a word', async () => {
  const { report } = await testApi(answering(200), { names: [], appAuth: { type: 'none' } });
  expect(report.steps.at(-1)).toMatchObject({ outcome: 'passed', advice: expect.any(String) as string });
});
