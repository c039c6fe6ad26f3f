import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { AdminClient } from '../support/admin-client.ts';
import { findCanaries, findCanariesInFolder, makeCanary } from '../support/canary.ts';
import { callEveryRoute, type RoutedCanaries } from '../support/canary-routes.ts';
import { type OtlpCollector, startOtlpCollector } from '../support/otlp-collector.ts';
import { runSql } from '../support/postgres.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

let shape: ProductionShape;
let upstream: RecordingUpstream;
let collector: OtlpCollector;
let admin: AdminClient;
let controlPlane: Awaited<ReturnType<ProductionShape['startControlPlane']>>['process'];
let plane: DataPlaneProcess;

const stored = {
  header: makeCanary('header-key'),
  query: makeCanary('query-key'),
  bearer: makeCanary('bearer-token'),
  password: makeCanary('password'),
  custom: makeCanary('custom-header'),
  replaced: makeCanary('replaced'),
  outbound: makeCanary('outbound-header'),
};
/** What a caller sends through a server that passes it on: the upstream sees it, nobody else. */
const passed = { authorization: makeCanary('passed-token'), upstreamAuthorization: makeCanary('upstream-token'), header: makeCanary('passed-header'), dropped: makeCanary('dropped-value') };
const callers = { authorization: makeCanary('callers-token'), header: makeCanary('callers-header'), argument: makeCanary('argument'), query: makeCanary('callers-query') };
const collectorKey = makeCanary('collector-key');
const servers = {
  header: { type: 'api-key', name: 'X-Key', in: 'header', value: stored.header },
  query: { type: 'api-key', name: 'key', in: 'query', value: stored.query },
  bearer: { type: 'bearer', token: stored.bearer },
  basic: { type: 'basic', username: 'user', password: stored.password },
  custom: { type: 'custom-headers', headers: [{ name: 'X-A', value: stored.custom }] },
} as const;

/** Every answer that was given to anyone. */
const answers: string[] = [];
const note = <T extends { status: number; body: unknown }>(answer: T): T => {
  answers.push(JSON.stringify(answer));
  return answer;
};

beforeAll(async () => {
  [upstream, collector] = await Promise.all([startRecordingUpstream(), startOtlpCollector()]);
  shape = await startProductionShape({ GATEHOUSE_LOG_LEVEL: 'trace', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: `x-collector=${collectorKey}`, OTEL_BSP_SCHEDULE_DELAY: '100' });
  ({ process: controlPlane, admin } = await shape.startControlPlane());
  plane = await shape.startDataPlane('one');
});
afterAll(async () => {
  await shape.close();
  await upstream.close();
  await collector.close();
});

async function call(server: string, key?: string): Promise<number> {
  const response = await fetch(`${plane.dataPlaneUrl}/mcp/default/${server}?token=${callers.query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key ?? callers.authorization}`, 'x-mine': callers.header, cookie: `c=${callers.header}` },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { text: callers.argument } } }),
  });
  const text = await response.text();
  if (key === undefined) answers.push([...response.headers].join('\n'), response.ok ? '' : text);
  return response.status;
}

/** A call through a server that passes headers on: some leave, some are dropped, for every kind of reason. */
async function callThrough(server: string, more: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`${plane.dataPlaneUrl}/mcp/default/${server}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json', authorization: `Bearer ${passed.authorization}`, 'x-passed': passed.header, cookie: `c=${passed.dropped}`,
      'x-internal-id': passed.dropped, 'x-too-long': passed.dropped.repeat(50), 'x-forwarded-for': passed.dropped, ...more,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } }),
  });
  answers.push([...response.headers].join('\n'), response.ok ? '' : await response.text());
  return response.status;
}

/** What goes wrong must not say more than what goes well. */
async function everythingThatCanHappen(): Promise<void> {
  const base = '/v1/workspaces/default/servers';
  for (const [name, appAuth] of Object.entries(servers)) {
    note(await admin.post(base, { name, type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, appAuth }));
  }
  note(await admin.patch(`${base}/header`, { appAuth: { value: stored.replaced } }, { 'if-match': '*' }));
  note(await admin.patch(`${base}/header`, { appAuth: { value: stored.header } }, { 'if-match': '*' }));
  // Refused: with the secret in the wrong place, of the wrong kind, in a broken body.
  note(await admin.post(base, { name: 'bad', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, appAuth: { ...servers.header, value: `${stored.header}\n` } }));
  note(await admin.post(base, { name: stored.bearer, type: 'mcp', appAuth: { type: 'bearer', token: { nested: stored.bearer } } }));
  note(await admin.post(base, { name: 'bad', unknown: stored.bearer, upstream: { url: `https://user:${stored.password}@x.example/` } }));
  note(await admin.get(`${base}?cursor=${stored.query}`));
  await vi.waitFor(async () => expect(await call('custom')).toBe(200), { timeout: 10_000 });

  const account = await admin.post<{ key: string }>('/v1/workspaces/default/service-accounts', { name: 'ci' }, { 'idempotency-key': 'once' });
  serviceAccountKey = account.body.key;
  note(await admin.post(base, { name: 'keyed', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'api-key' }, appAuth: servers.bearer }));
  await vi.waitFor(async () => expect(await call('keyed', serviceAccountKey)).toBe(200), { timeout: 10_000 });

  for (const name of Object.keys(servers)) expect(await call(name)).toBe(200);

  const through = { type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', restrictedHeaders: ['x-internal-*'] } };
  const outboundHeaders = [{ name: 'X-Service', prefix: 'Key', source: { type: 'static', value: stored.outbound } }];
  note(await admin.post(base, { ...through, name: 'passing', appAuth: { type: 'passthrough' }, headerPolicy: { mode: 'all', maxValueBytes: 1_000 }, outboundHeaders }));
  note(await admin.post(base, { ...through, name: 'upstreams', headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-Passed', target: 'X-Api-Key' }] } }));
  await vi.waitFor(async () => expect(await callThrough('upstreams', { 'x-upstream-authorization': `Bearer ${passed.upstreamAuthorization}` })).toBe(200), { timeout: 10_000 });
  expect(await callThrough('passing')).toBe(200);
  routed = await callEveryRoute(admin, plane.dataPlaneUrl, upstream);
  answers.push(...routed.answers);
  note(await admin.put('/v1/header-policy', { mode: 'list', list: ['X-Passed'] }, { 'if-match': '*' }));
  const headers = [`Authorization: Bearer ${passed.authorization}`, `X-Upstream-Authorization: Bearer ${passed.upstreamAuthorization}`, `X-Secret-Thing: ${passed.header}`, `Cookie: c=${passed.dropped}`];
  for (const name of ['passing', 'upstreams', ...Object.keys(servers)]) expect(note(await admin.post(`${base}/${name}/explain`, { request: { headers } })).status).toBe(200);

  for (const action of ['test', 'discover']) for (const name of Object.keys(servers)) note(await admin.post(`${base}/${name}/${action}`));
  // An upstream that refuses, redirects, echoes what it got, hangs up.
  upstream.handle((request, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer', 'x-echo': request.rawHeaders.join(' ').slice(0, 4000) }).end());
  for (const name of Object.keys(servers)) expect(await call(name)).toBe(502);
  for (const name of Object.keys(servers)) note(await admin.post(`${base}/${name}/test`));
  upstream.handle(({ url }, response) => void response.writeHead(302, { location: url }).end());
  for (const name of Object.keys(servers)) expect(await call(name)).toBe(502);
  for (const name of Object.keys(servers)) note(await admin.post(`${base}/${name}/discover`));
  upstream.handle((_request, response) => void response.destroy());
  for (const name of Object.keys(servers)) expect(await call(name)).toBe(502);

  for (const path of [base, `${base}/header`, `${base}/custom`, '/v1/audit-events', '/v1/data-planes', '/v1/auth-types', '/openapi.json', '/v1/workspaces/default/service-accounts']) note(await admin.get(path));
  for (const path of ['/metrics', '/debug/snapshot', '/readyz']) answers.push(await (await fetch(`${plane.internalUrl}${path}`)).text());
}
let serviceAccountKey = '';
let routed: RoutedCanaries;

it('P6, P15 no secret, and no header of a request, is in clear text in any log, metric, span, answer, in Redis, in Postgres or on disk', async () => {
  await everythingThatCanHappen();
  // The search finds what is there: the upstream saw each of them.
  const seen = upstream.requests.map(({ url, rawHeaders }) => `${url}\n${rawHeaders.join('\n')}`).join('\n');
  expect(findCanaries(seen, Object.values(stored)).length).toBeGreaterThan(0);
  const sent = [stored.header, stored.query, stored.bearer, stored.password, stored.custom, stored.outbound, passed.authorization, passed.upstreamAuthorization, passed.header, ...routed.passed];
  expect(sent.filter((canary) => findCanaries(seen, [canary]).length === 0), 'what the upstream did not see').toEqual([]);
  expect(findCanaries(seen, [...Object.values(callers), passed.dropped])).toEqual([]);

  const secrets = [...Object.values(stored), ...Object.values(callers), ...Object.values(passed), ...routed.passed, ...routed.others, serviceAccountKey, collectorKey, String(shape.environment['GATEHOUSE_ADMIN_TOKEN']), String(shape.environment['GATEHOUSE_VAULT_KEY']), String(shape.environment['GATEHOUSE_SNAPSHOT_KEY'])];
  expect(findCanaries(answers.join('\n'), secrets.filter((secret) => secret !== serviceAccountKey)), 'answers').toEqual([]);
  expect(findCanaries(controlPlane.output(), secrets), 'the control plane’s log').toEqual([]);
  expect(findCanaries(plane.output(), secrets), 'the data plane’s log').toEqual([]);

  // Of both planes, of what went well and of what did not.
  const traced = (): string[] => collector.spans.flatMap(({ service, name, attributes }) => [`${service} ${name}`, `${service} ${attributes['gatehouse.outcome']}`]);
  await vi.waitFor(() => expect(traced()).toEqual(expect.arrayContaining(['gatehouse-data-plane ok', 'gatehouse-data-plane upstream_rejected_credentials', 'gatehouse-control-plane GET /v1/data-planes'])), { timeout: 20_000 });
  expect(findCanaries(collector.raw.join('\n'), [collectorKey]), 'what the collector is shown').not.toEqual([]);
  expect(findCanaries(collector.raw.join('\n'), secrets.filter((secret) => secret !== collectorKey)), 'spans').toEqual([]);

  const redis = new Redis(shape.redis.url);
  for (const key of await redis.keys('*')) {
    // Whatever kind of value it is, as Redis itself would write it down.
    const dump = await redis.dumpBuffer(key);
    const type = await redis.type(key);
    const fields = type === 'hash' ? Object.entries(await redis.hgetallBuffer(key)).flatMap(([field, value]) => [Buffer.from(field), value]) : [];
    const entries = type === 'stream' ? Buffer.from(JSON.stringify(await redis.xrange(key, '-', '+'))) : Buffer.alloc(0);
    expect(findCanaries(Buffer.concat([Buffer.from(key), dump, ...fields, entries]), secrets), `Redis ${key}`).toEqual([]);
  }
  redis.disconnect();

  // Of the calls that went well, and of those that did not.
  for (const outcome of ['ok', 'upstream_rejected_credentials']) await vi.waitFor(async () => expect((await admin.get<{ items: object[] }>(`/v1/call-events?outcome=${outcome}`)).body.items.length).toBeGreaterThan(0), { timeout: 20_000 });
  const tables = await runSql<{ name: string }>(shape.databaseUrl, `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'`);
  expect(tables.length).toBeGreaterThan(5);
  for (const { name } of tables) {
    const rows = await runSql(shape.databaseUrl, `select t::text as row from ${name} t`);
    expect(findCanaries(JSON.stringify(rows), secrets), `Postgres ${name}`).toEqual([]);
  }

  await vi.waitFor(async () => expect(((await (await fetch(`${plane.internalUrl}/debug/snapshot`)).json()) as { revisionOnDisk?: number }).revisionOnDisk).toBeGreaterThan(0));
  expect(await findCanariesInFolder(shape.folder, secrets), 'the data planes’ disk').toEqual([]);
});
