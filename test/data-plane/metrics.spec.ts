import { createServer, type Server, type ServerResponse } from 'node:http';
import { createLogger } from '@gatehouse/service-runtime';
import { createMemoryCallEventStream } from '@gatehouse/snapshot-channel';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { CallEventBuffer } from '../../apps/data-plane/src/call-events/call-event-buffer.ts';
import { addWorkerMetrics } from '../../apps/data-plane/src/workers/worker-metrics.ts';
import type { Workers } from '../../apps/data-plane/src/workers/workers.ts';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { comparable, documentedMetrics, servedMetrics } from '../support/documented-metrics.ts';
import { closeHttpServer, listenOnLoopback } from '../support/listen.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let provider: Server;
let providerUrl: string;
let answerToken: (response: ServerResponse) => void;
let dataPlane: InProcessDataPlane;

beforeAll(async () => {
  provider = createServer((_request, response) => answerToken(response));
  providerUrl = `http://127.0.0.1:${await listenOnLoopback(provider)}/token`;
  [upstream, issuer, dataPlane] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startInProcessDataPlane({ GATEHOUSE_CONNECTIONS_PER_ORIGIN: '2' })]);
  upstream.handle(answerAsMcp);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close(), closeHttpServer(provider)]);
});

const scrape = async (): Promise<string> => (await fetch(`${dataPlane.internalUrl}/metrics`)).text();
/** @param name with its labels, as it is served; what is not there yet is 0 */
async function value(name: string): Promise<number> {
  const line = (await scrape()).split('\n').find((each) => each.startsWith(`gatehouse_${name} `));
  return Number(line?.split(' ')[1] ?? 0);
}
const post = (name: string, authorization?: string): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${name}`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
async function postTimes(times: number, name: string): Promise<void> {
  for (let time = 0; time < times; time += 1) await (await post(name)).text();
}
const publish = (name: string, more: Partial<SpecServer> = {}): Promise<void> => dataPlane.publish({ name, upstream: { url: upstream.url }, ...more });

it('the process says what it is, and no series is there twice', async () => {
  const text = await scrape();
  expect(text).toContain(`role="data-plane",node="${process.version}"} 1`);
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.replace(/ \S+$/, ''));
  expect(new Set(series).size).toBe(series.length);
});

it('stages and whole answers are measured of one request in 32, in the order in which they are passed', async () => {
  await publish('staged');
  const count = (stage: string): Promise<number> => value(`stage_duration_seconds_count{stage="${stage}"}`);
  const stages = ['authenticate', 'read', 'prepare', 'upstream', 'answer'];
  const before = await Promise.all(stages.map(count));
  const [answers, sum] = [await value('answer_duration_seconds_count'), await value('stage_duration_seconds_sum{stage="upstream"}')];
  await postTimes(64, 'staged');
  expect((await Promise.all(stages.map(count))).map((after, index) => after - (before[index] ?? 0))).toEqual([2, 2, 2, 2, 2]);
  expect(await value('stage_duration_seconds_sum{stage="upstream"}')).toBeGreaterThan(sum);
  await vi.waitFor(async () => expect(await value('answer_duration_seconds_count')).toBe(answers + 2));
});

it('what fails is counted at the stage that it got to', async () => {
  const count = (stage: string): Promise<number> => value(`stage_failures_total{stage="${stage}"}`);
  await publish('guarded', { agentAuth: { type: 'api-key' } });
  await publish('away', { upstream: { url: 'http://127.0.0.1:9/mcp' } });
  const stages = ['match', 'authenticate', 'read', 'upstream'];
  const before = await Promise.all(stages.map(count));
  await post('nowhere');
  await post('guarded');
  await fetch(`${dataPlane.url}/mcp/default/staged`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' });
  await post('away');
  expect((await Promise.all(stages.map(count))).map((after, index) => after - (before[index] ?? 0))).toEqual([1, 1, 1, 1]);
  expect(await value('outgoing_connections_failed_total{pool="calls"}')).toBeGreaterThan(0);
});

it('what runs and what waits for a connection of its origin is counted, and nothing is left of it', async () => {
  await publish('held');
  const held: ServerResponse[] = [];
  upstream.handle((_request, response) => void held.push(response));
  const calls = Array.from({ length: 5 }, () => post('held'));
  await vi.waitFor(async () => {
    expect([await value('upstream_requests{pool="calls",state="running"}'), await value('upstream_requests{pool="calls",state="waiting"}')]).toEqual([2, 3]);
    expect(await value('requests_in_flight')).toBe(5);
  }, 20_000);
  expect(await value('outgoing_connections{pool="calls"}')).toBeGreaterThanOrEqual(2);
  upstream.handle(answerAsMcp);
  for (const response of held) response.destroy();
  await Promise.all(calls.map(async (call) => (await call).text()));
  expect([await value('upstream_requests{pool="calls",state="running"}'), await value('upstream_requests{pool="calls",state="waiting"}'), await value('requests_in_flight')]).toEqual([0, 0, 0]);
  expect(await value('outgoing_connections_opened_total{pool="calls"}')).toBeGreaterThan(1);
});

it('tokens that are at hand, that are waited for and that do not come are counted, and what their provider says', async () => {
  const appAuth = { type: 'oauth-client-credentials', tokenUrl: providerUrl, clientId: 'gateway', clientSecret: 'the-client-secret-0123456789' } as unknown as SpecServer['appAuth'];
  answerToken = (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: 'fresh', token_type: 'Bearer', expires_in: 3_600 }));
  if (appAuth !== undefined) await publish('served', { appAuth });
  await postTimes(3, 'served');
  const requests = (result: string): Promise<number> => value(`token_cache_requests_total{cache="client",result="${result}"}`);
  expect([await requests('hit'), await requests('miss'), await value('token_cache_tokens{cache="client"}')]).toEqual([2, 1, 1]);
  const asked = (outcome: string): Promise<number> => value(`dependency_request_duration_seconds_count{dependency="provider",outcome="${outcome}"}`);
  expect(await asked('ok')).toBe(1);

  answerToken = (response) => void response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}');
  await publish('refused', { appAuth: { ...appAuth, clientId: 'another' } as unknown as NonNullable<SpecServer['appAuth']> });
  await post('refused');
  expect([await asked('refused'), await value('token_cache_failures_total{cache="client"}')]).toEqual([1, 1]);
});

it('a caller’s token is verified once, with keys that are fetched once', async () => {
  await publish('signed', { agentAuth: { type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url, audience: 'signed' } } });
  const [hits, misses] = [await value('verified_token_requests_total{result="hit"}'), await value('verified_token_requests_total{result="miss"}')];
  const token = `Bearer ${await issuer.sign({ aud: 'signed' })}`;
  for (let time = 0; time < 3; time += 1) await (await post('signed', token)).text();
  expect([(await value('verified_token_requests_total{result="hit"}')) - hits, (await value('verified_token_requests_total{result="miss"}')) - misses]).toEqual([2, 1]);
  expect(await value('verified_token_characters')).toBeGreaterThan(0);
  expect(await value('dependency_request_duration_seconds_count{dependency="key_set",outcome="ok"}')).toBe(1);
});

it('the snapshot says how many documents it has, and labels are names of the configuration alone', async () => {
  const documents = await value('snapshot_documents');
  await publish('one-more');
  expect(await value('snapshot_documents')).toBe(documents + 1);
  await fetch(`${dataPlane.url}/mcp/default/of-a-callers-choosing?marked=query`);
  expect(await scrape()).not.toMatch(/of-a-callers-choosing|marked/);
});

it('every metric has its row in docs/metrics.md, and every row its metric', async () => {
  // What is there only where it is wanted.
  const registry = new Registry();
  const buffer = new CallEventBuffer({ stream: createMemoryCallEventStream(), dataPlane: 'spec', registry, logger: createLogger({ level: 'silent', role: 'spec' }) });
  await buffer.stop();
  addWorkerMetrics(registry, { slots: [], restarts: 0 } as unknown as Workers);
  const served = servedMetrics(`${await scrape()}\n${await registry.metrics()}`);
  const documented = comparable(await documentedMetrics('Data plane'), served);
  expect(served.size).toBeGreaterThan(40);
  expect([...documented].sort()).toEqual([...served].sort());
});
