import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSampleUpstream } from '../../../../../test/support/mcp-sample-upstream.ts';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.ts';
import { startTestControlPlane, type TestControlPlane, testEnvironment } from '../../spec-support/start-test-control-plane.ts';
import { discovery, testReport, type TestReport } from './probe-results.ts';

let postgres: TestPostgres;
let plane: TestControlPlane;
let upstream: Awaited<ReturnType<typeof startSampleUpstream>>;

const servers = '/v1/workspaces/default/servers';

beforeAll(async () => {
  [postgres, upstream] = await Promise.all([startTestPostgres(), startSampleUpstream()]);
  plane = await startTestControlPlane({ environment: { ...testEnvironment(await postgres.createDatabase()), GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback' } });
  const appAuth = { type: 'api-key', name: 'X-Key', in: 'header', value: 'the-stored-key' };
  for (const [name, url] of [['sample', upstream.url], ['metadata', 'http://169.254.169.254/mcp']]) {
    await plane.send('POST', servers, { body: { name, type: 'mcp', upstream: { url }, agentAuth: { type: 'api-key' }, appAuth } });
  }
});
afterAll(async () => {
  await plane?.close();
  await Promise.all([postgres?.close(), upstream?.close()]);
});

test('a test uses the stored secret, says each step, and does not tell the secret', async () => {
  const reply = await plane.send<TestReport>('POST', `${servers}/sample/test`);
  expect(reply.status, reply.text).toBe(200);
  expect(testReport.parse(reply.body).outcome, reply.text).toBe('passed');
  expect(upstream.log.headers.at(-1)).toMatchObject({ 'x-key': 'the-stored-key' });
  expect(reply.text).not.toContain('the-stored-key');
});

test('a discovery lists the tools', async () => {
  const reply = await plane.send('POST', `${servers}/sample/discover`);
  expect(reply.status, reply.text).toBe(200);
  expect(discovery.parse(reply.body)).toMatchObject({ tools: [{ name: 'echo' }, { name: 'whoami' }, { name: 'slow' }] });
});

test('a refused address fails the test with 200 and the discovery with a problem that points at the URL', async () => {
  const tested = await plane.send<TestReport>('POST', `${servers}/metadata/test`);
  expect([tested.status, tested.body.steps.find(({ outcome }) => outcome === 'failed')?.reason]).toEqual([200, 'upstream_address_refused']);
  const discovered = await plane.send('POST', `${servers}/metadata/discover`);
  expect(discovered.status).toBe(502);
  expect(discovered.body).toMatchObject({ code: 'upstream_address_refused', errors: [{ pointer: '/upstream/url' }] });
});

test.each(['test', 'discover'])('%s is for administrators and for servers that exist', async (action) => {
  expect(await plane.send('POST', `${servers}/sample/${action}`, { authorization: undefined })).toMatchObject({ status: 401 });
  expect(await plane.send('POST', `${servers}/other/${action}`)).toMatchObject({ status: 404 });
  expect(await plane.send('POST', `/v1/workspaces/other/servers/sample/${action}`)).toMatchObject({ status: 404 });
});
