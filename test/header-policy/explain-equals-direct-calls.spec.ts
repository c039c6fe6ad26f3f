import { randomBytes } from 'node:crypto';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestControlPlane, type TestControlPlane, testEnvironment, until } from '../../apps/control-plane/src/spec-support/start-test-control-plane.ts';
import type { Explanation } from '../../apps/control-plane/src/servers/explain/explanation.ts';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { rawRequest } from '../support/raw-request.ts';
import { headerPairs, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* P24 for direct calls (/api): what explain says of a request is what a data plane does with it. */

const seed = 20_261_121;
let postgres: TestPostgres;
let upstream: RecordingUpstream;
let controlPlane: TestControlPlane;
let dataPlane: InProcessDataPlane;
const seen = new Set<string>();

const tools = { operations: [{ name: 'ping', method: 'GET', path: '/ping' }] };
const documents: Record<string, object> = {
  none: {},
  passing: { appAuth: { type: 'passthrough' }, headerPolicy: { mode: 'all', restricted: ['x-internal-*', 'accept-language'] } },
  stored: { appAuth: { type: 'api-key', name: 'X-Stored', in: 'header', value: 'stored-value-that-is-long-enough' }, headerPolicy: { mode: 'all', overwriteBaseHeaders: true } },
  keyed: { appAuth: { type: 'api-key', name: 'key', in: 'query', value: 'a&b' }, headerPolicy: { mode: 'list', list: ['X-One', 'Range'] }, outboundHeaders: [{ name: 'X-Outbound', source: { type: 'static', value: 'fixed' } }] },
  mapped: { appAuth: { type: 'none' }, headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-One', target: 'If-Match' }, { source: 'Range', target: 'X-Range' }] } },
  ruled: { access: { tools: { allow: ['ping'] } } },
};

const names = ['Accept', 'User-Agent', 'X-One', 'X-Internal-Id', 'Accept', 'Accept-Language', 'Accept-Encoding', 'Content-Encoding', 'Range', 'If-Match', 'If-None-Match', 'Authorization', 'X-Upstream-Authorization', 'Cookie', 'User-Agent', 'X_Stored', 'X-Outbound', 'Mcp-Session-Id', 'Traceparent', 'X-Forwarded-For', 'Prefer'];
/** By short names, for counterexamples that can be read. */
const values = { plain: 'plain', empty: '', words: 'two words', latin1: 'é', tooLong: 'w'.repeat(9_000), etag: '"etag"' } as const;
const kinds = Object.keys(values) as (keyof typeof values)[];
const paths = ['', '/', '/items/7', '/a%2Fb;c=d', '?a=1&key=mine&of=mine', '/items?x=%20', '/%2e%2e/x', '/a//b', '/..;/x'];
const request = fc.record({
  server: fc.constantFrom(...Object.keys(documents), 'mcp'),
  method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'),
  path: fc.constantFrom(...paths),
  // More would be too large, whatever else is wrong.
  rows: fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...kinds)), { maxLength: 8 }).filter((rows) => rows.filter(([, kind]) => kind === 'tooLong').length < 3),
  connection: fc.constantFrom('close', 'close', 'close, If-Match, X-One', 'close, Upgrade'),
  upgrade: fc.constantFrom([], [], [], ['Upgrade: websocket'], ['Upgrade: h2c'], ['Sec-Fetch-Site: cross-site']),
  body: fc.constantFrom('', '{}'),
});

beforeAll(async () => {
  [postgres, upstream] = await Promise.all([startTestPostgres(), startRecordingUpstream()]);
  const [key, channel] = [randomBytes(32), createMemoryChannel()];
  controlPlane = await startTestControlPlane({ environment: { ...testEnvironment(await postgres.createDatabase()), GATEHOUSE_SNAPSHOT_KEY: key.toString('base64') }, channel });
  dataPlane = await startInProcessDataPlane({}, { key, channel });
  for (const [name, document] of Object.entries(documents)) {
    const written = { name, type: 'api', tools, upstream: { url: `${upstream.origin}/base?of=config` }, agentAuth: { type: 'passthrough' }, ...document };
    const { status, text } = await controlPlane.send('POST', '/v1/workspaces/default/servers', { body: written });
    expect(status, text).toBe(201);
  }
  const mcp = await controlPlane.send('POST', '/v1/workspaces/default/servers', { body: { name: 'mcp', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' } } });
  expect(mcp.status).toBe(201);
  await until(async () => {
    const { body } = await controlPlane.send<{ revision: number }>('GET', '/v1/data-planes');
    const { revision } = (await (await fetch(`${dataPlane.internalUrl}/debug/snapshot`)).json()) as { revision?: number };
    return revision === body.revision;
  });
});
afterAll(async () => {
  await dataPlane?.close();
  await controlPlane?.close();
  await Promise.all([postgres?.close(), upstream?.close()]);
});

const framing = new Set(['host', 'connection', 'content-length']);
const toText = (bytes: string): string => (bytes === 'é' ? bytes : Buffer.from(bytes, 'latin1').toString('utf8'));

it('P24 explain says of direct calls what the data plane does', async () => {
  await fc.assert(
    fc.asyncProperty(request, async ({ server, method, path: below, rows, connection, upgrade, body }) => {
      const path = `/api/default/${server}${below}`;
      const headers = [`Host: ${new URL(dataPlane.url).host}`, ...(body === '' ? [] : [`Content-Length: ${body.length}`]), ...rows.map(([name, kind]) => `${name}: ${values[kind]}`), ...upgrade, `Connection: ${connection}`];
      const before = upstream.requests.length;
      const reply = await rawRequest(dataPlane.url, [`${method} ${path} HTTP/1.1`, ...headers], body);
      const explained = await controlPlane.send<Explanation>('POST', `/v1/workspaces/default/servers/${server}/explain`, { body: { request: { method, path, headers, ...(body !== '' && { body }) } } });
      expect(explained.status, explained.text).toBe(200);
      const { request: shown, refused, verdicts } = explained.body;
      const arrived = upstream.requests[before];
      seen.add(refused?.code ?? 'sent');
      if (arrived === undefined) {
        const problem = JSON.parse(reply.body) as { status: number; code: string; title: string };
        expect([refused, shown]).toEqual([{ status: problem.status, code: problem.code, message: problem.title }, null]);
        return;
      }
      const left = headerPairs(arrived).filter(([name]) => !framing.has(name.toLowerCase()));
      expect([shown?.method, shown?.headers.map(({ name }) => name)]).toEqual([arrived.method, left.map(([name]) => name)]);
      for (const [index, { value, secret }] of (shown?.headers ?? []).entries()) if (!secret) expect(value.trimEnd()).toBe(toText(left[index]?.[1] ?? ''));
      const [actual, told] = [new URL(arrived.url, upstream.origin), new URL(shown?.url ?? '')];
      expect([told.origin + told.pathname, [...told.searchParams.keys()]]).toEqual([actual.origin + actual.pathname, [...actual.searchParams.keys()]]);
      for (const { action, reason } of verdicts) seen.add(reason ?? action);
    }),
    { numRuns: 150, seed, endOnFailure: true },
  );
  const expected = ['sent', 'invalid_path', 'method_not_allowed', 'upgrade_not_supported', 'tool_not_allowed', 'not_found', 'origin_not_allowed', 'duplicate_header', 'kept', 'renamed', 'set', 'dropped', 'base_header_wins', 'connection_nominated', 'restricted', 'value_too_long', 'app_auth_wins'];
  expect(expected.filter((outcome) => outcome !== 'dropped' && !seen.has(outcome))).toEqual([]);
}, 120_000);

it('without a path it is a direct call of the URL itself; of a tool’s call, what its operation has of its own is told of', async () => {
  const explain = async (given: object): Promise<Explanation> => (await controlPlane.send<Explanation>('POST', '/v1/workspaces/default/servers/none/explain', { body: { request: given } })).body;
  const direct = await explain({ method: 'GET', headers: ['Accept: a/b'] });
  expect([direct.request?.url, direct.request?.headers.map(({ name }) => name), direct.assumptions.map(({ code }) => code)]).toEqual([`${upstream.origin}/base?of=config`, ['Accept', 'user-agent'], ['direct_call_assumed']]);
  const tool = await explain({ path: '/mcp/default/none', headers: ['Mcp-Protocol-Version: 2025-06-18'] });
  expect([tool.request?.headers.map(({ name }) => name), tool.assumptions.map(({ code }) => code)]).toEqual([['user-agent'], expect.arrayContaining(['own_headers_added'])]);
});
