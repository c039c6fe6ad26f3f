import { randomBytes } from 'node:crypto';
import { dropReasons } from '@gatehouse/header-policy';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestControlPlane, type TestControlPlane, testEnvironment, until } from '../../apps/control-plane/src/spec-support/start-test-control-plane.ts';
import type { Explanation } from '../../apps/control-plane/src/servers/explain/explanation.ts';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { postLines, type RawReply, rawRequest } from '../support/raw-request.ts';
import { headerPairs, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

const seed = Number(process.env['EXPLAIN_SEED'] ?? 20_261_121);
const requestsPerPolicy = 60;

let postgres: TestPostgres;
let upstream: RecordingUpstream;
let controlPlane: TestControlPlane;
let dataPlane: InProcessDataPlane;
let servers: string[];
/** Every outcome that was compared. */
const seen = new Set<string>();

/** Names a policy may let pass, of which some differ from others only as upstreams might not see. */
const passable = ['X-One', 'x_one', 'X-Two', 'X-Three', 'X-Internal-Id', 'X_Internal.Id', 'X-Tenant', 'Accept-Language', 'From', 'Range', 'Authorization', 'X-Upstream-Authorization', 'Accept', 'User-Agent'];
const others = [
  'X_Upstream_Authorization', 'Cookie', 'Keep-Alive', 'TE', 'Via', 'X-Forwarded-For', 'Forwarded', 'Traceparent', 'Tracestate', 'Baggage', 'Proxy-Authorization', 'X-Gatehouse-Key', 'X_Gatehouse_User',
  'Mcp-Param-City', 'Mcp-Method', 'Last-Event-ID', 'Sec-Fetch-Mode', 'Referer', 'Accept-Encoding', 'Content-Type', 'Content-Encoding', 'X-Stored', 'X-Outbound', 'X_Outbound', 'X-Api-Key',
];
/** By short names, for counterexamples that can be read. */
const values = {
  plain: 'acme', empty: '', blank: '  ', words: 'two words', latin1: 'é', utf8: '東京', long: 'v'.repeat(100), tooLong: 'w'.repeat(9_000), bearer: 'Bearer abc', basic: 'Basic YTpi',
  trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', text: 'text/plain',
} as const;

const some = <T>(...entries: readonly T[]) => fc.subarray([...entries]);
const restricted = fc.option(some('x-internal-*', '*-three', 'x-one', 'from'), { nil: undefined });
const headerPolicy = fc
  .record(
    {
      mode: fc.constantFrom('none', 'all', 'list', 'mappings'),
      list: some(...passable.filter((name) => name !== 'x_one')),
      mappings: some(
        { source: 'X-One', target: 'X-Renamed' }, { source: 'x-one', target: 'X-Again' }, { source: 'X-Two' }, { source: 'X-Three', target: 'X-Stored' }, { source: 'Authorization', target: 'X-Copied' },
        { source: 'X-Tenant', target: 'User-Agent' }, { source: 'From', target: 'X-Outbound' }, { source: 'X-Internal-Id', target: 'X-Plain' },
      ),
      restricted,
      overwriteBaseHeaders: fc.option(fc.boolean(), { nil: undefined }),
      maxValueBytes: fc.constantFrom(undefined, 50, 32_768),
    },
  )
  .map(({ list, mappings, ...policy }) => ({ ...policy, ...(policy.mode === 'list' && { list }), ...(policy.mode === 'mappings' && { mappings }) }));

const appAuth = fc.constantFrom<object>(
  { type: 'none' }, { type: 'none' }, { type: 'passthrough' }, { type: 'passthrough' },
  { type: 'api-key', name: 'X-Stored', in: 'header', value: 'stored-value-that-is-long-enough' }, { type: 'api-key', name: 'key', in: 'query', value: 'a&b' },
  { type: 'bearer', token: 'short' }, { type: 'basic', username: 'u', password: 'stored-value-that-is-long-enough' },
  { type: 'custom-headers', headers: [{ name: 'X-One', value: '' }, { name: 'User-Agent', value: 'stored' }, { name: 'Traceparent', value: '東' }] },
);
const outboundHeaders = some(
  { name: 'X-Outbound', source: { type: 'static', value: 'value' } }, { name: 'Authorization', prefix: 'Bearer', source: { type: 'static', value: 'another-value-that-is-long-enough' } },
  { name: 'X_Two', source: { type: 'static', value: 'é' } },
);
const server = fc.record({
  agentAuth: fc.record({ type: fc.constant('passthrough'), restrictedHeaders: restricted }),
  appAuth,
  headerPolicy: fc.option(headerPolicy, { nil: undefined }),
  outboundHeaders: fc.option(outboundHeaders, { nil: undefined }),
});

const globalPolicies: readonly (object | undefined)[] = [
  // The environment's list.
  undefined,
  { mode: 'list', list: ['X-Tenant', 'x-two'], restricted: ['*-three'], maxValueBytes: 60 },
  { mode: 'mappings', mappings: [{ source: 'X-One', target: 'X-Global' }, { source: 'User-Agent' }], overwriteBaseHeaders: true, source: 'merge' },
  { mode: 'all', restricted: ['x-internal-*'] },
  { mode: 'all', enabled: false },
];

const anyCase = fc.constantFrom((name: string) => name, (name: string) => name.toLowerCase(), (name: string) => name.toUpperCase());
const row = fc.tuple(fc.constantFrom(...passable, ...passable, ...others), anyCase, fc.constantFrom(...(Object.keys(values) as (keyof typeof values)[]))).map(([name, inCase, value]) => [inCase(name), value] as const);
// It ends, so that the raw socket does; what else it names is the caller's choice.
const connection = fc.constantFrom('close', 'close', 'close', 'close, X-One, authorization', 'X_Two, close', 'close,accept,host,traceparent').map((value) => ['Connection', value] as const);
const method = fc.constantFrom('POST', 'POST', 'POST', 'POST', 'POST', 'GET', 'DELETE', 'PUT');
const request = fc.record({ method, rows: fc.array(row, { maxLength: 9 }), connection, isModern: fc.boolean() });
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

beforeAll(async () => {
  [postgres, upstream] = await Promise.all([startTestPostgres(), startRecordingUpstream()]);
  const [key, channel] = [randomBytes(32), createMemoryChannel()];
  const environment = { ...testEnvironment(await postgres.createDatabase()), GATEHOUSE_SNAPSHOT_KEY: key.toString('base64'), GATEHOUSE_PASSTHROUGH_HEADERS: 'X-Two,From' };
  controlPlane = await startTestControlPlane({ environment, channel });
  dataPlane = await startInProcessDataPlane({}, { key, channel });
  servers = [];
  for (const document of fc.sample(server, { numRuns: 40, seed })) {
    const name = `server-${servers.length}`;
    const { status } = await controlPlane.send('POST', '/v1/workspaces/default/servers', { body: { name, type: 'mcp', upstream: { url: `${upstream.url}?of=config` }, ...document } });
    // Two writers of one header are refused when saved.
    if (status === 201) servers.push(name);
    else expect(status).toBe(422);
  }
  expect(servers.length).toBeGreaterThan(20);
});
afterAll(async () => {
  await dataPlane?.close();
  await controlPlane?.close();
  await Promise.all([postgres?.close(), upstream?.close()]);
});

async function served(): Promise<void> {
  await until(async () => {
    const { body } = await controlPlane.send<{ revision: number }>('GET', '/v1/data-planes');
    const { revision } = (await (await fetch(`${dataPlane.internalUrl}/debug/snapshot`)).json()) as { revision?: number };
    return revision === body.revision;
  });
}

/** Latin-1 as it is, anything beyond in UTF-8: what the wire has, one character a byte. */
const toBytes = (text: string): string => (/[\u0100-\uffff]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text);
function toText(bytes: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes;
  }
}

const framing = new Set(['host', 'connection', 'content-length']);
const modern = ['Mcp-Protocol-Version: 2026-07-28', 'Mcp-Method: tools/call', 'Mcp-Name: echo'];

interface Sent {
  readonly reply: RawReply;
  readonly arrived: RecordedRequest | undefined;
  readonly verdictCounts: Record<string, number> | undefined;
  readonly explanation: Explanation;
}

/** The same request, sent to the data plane and put to explain. */
async function sendBoth(name: string, { method, rows, connection: [header, value], isModern }: Request): Promise<Sent> {
  const meta = isModern ? { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } : {};
  const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {}, ...meta } });
  const body = method === 'POST' ? message : '';
  const lines = [...rows.map(([row, kind]) => `${row}: ${values[kind]}`), ...(isModern ? modern : []), `${header}: ${value}`];
  const path = `/mcp/default/${name}`;
  const headers = postLines(path, new URL(dataPlane.url).host, body, ...lines).slice(1);
  const [before, logged] = [upstream.requests.length, dataPlane.log.length];
  const reply = await rawRequest(dataPlane.url, [`${method} ${path} HTTP/1.1`, ...headers.map(toBytes)], body);
  const { status, text, body: explanation } = await controlPlane.send<Explanation>('POST', `/v1/workspaces/default/servers/${name}/explain`, { body: { request: { method, path, headers, body } } });
  expect(status, text).toBe(200);
  const line = dataPlane.log.slice(logged).map((entry) => JSON.parse(entry) as { msg: string; headers?: Record<string, number> }).find(({ msg }) => msg === 'call');
  expect(upstream.requests.length - before).toBeLessThanOrEqual(1);
  return { reply, arrived: upstream.requests[before], verdictCounts: line?.headers, explanation };
}

function expectSameRefusal({ reply, explanation }: Sent): void {
  const { error } = JSON.parse(reply.body) as { error: { message: string; data: { code: string } } };
  expect(explanation.refused).toEqual({ status: reply.status, code: error.data.code, message: error.message });
  expect(explanation.request).toBeNull();
}

function expectSameRequest({ verdictCounts, explanation }: Sent, arrived: RecordedRequest): void {
  expect([explanation.request?.method, explanation.refused]).toEqual([arrived.method, undefined]);
  const left = headerPairs(arrived).filter(([name]) => !framing.has(name.toLowerCase()));
  const shown = explanation.request?.headers ?? [];
  expect(shown.map(({ name }) => name)).toEqual(left.map(([name]) => name));
  for (const [index, { value, secret }] of shown.entries()) {
    const actual = toText(left[index]?.[1] ?? '');
    if (secret) expectMasked(value, actual);
    // A parser takes off the white space at the end of a list whose last entry is empty.
    else expect(value.trimEnd()).toBe(actual);
  }
  expectSameTarget(explanation.request?.url ?? '', arrived.url);
  const counts: Record<string, number> = {};
  for (const { action, reason } of explanation.verdicts) if (action !== 'set') counts[reason ?? action] = (counts[reason ?? action] ?? 0) + 1;
  expect(counts).toEqual(verdictCounts);
  // Each header that leaves is explained once.
  const explained = explanation.verdicts.filter(({ action }) => action !== 'dropped').map(({ name, outgoingName = name }) => outgoingName);
  expect(explained.toSorted()).toEqual(shown.map(({ name }) => name).toSorted());
}

function expectMasked(shown: string, actual: string): void {
  const [, scheme = '', mask = ''] = /^((?:Bearer|Basic) )?(.*)$/i.exec(shown) ?? [];
  expect(actual.startsWith(scheme)).toBe(true);
  if (mask === '[secret]') return;
  expect(scheme).not.toMatch(/basic/i);
  expect([mask, actual.length - scheme.length >= 20]).toEqual([`…${actual.slice(-4)}`, true]);
}

function expectSameTarget(shown: string, actual: string): void {
  const [expected, target] = [new URL(actual, upstream.origin), new URL(shown)];
  expect(target.origin + target.pathname).toBe(expected.origin + expected.pathname);
  expect([...target.searchParams.keys()]).toEqual([...expected.searchParams.keys()]);
  expect([target.searchParams.get('of'), target.searchParams.get('key')]).toEqual(['config', expected.searchParams.has('key') ? '[secret]' : null]);
}

it.each(globalPolicies.map((policy, index) => [index, policy] as const))('P24 explain says what the data plane does, with global policy %i', async (index, policy) => {
  const [method, options] = policy === undefined ? ['DELETE', {}] : ['PUT', { body: policy }];
  const changed = await controlPlane.send(method, '/v1/header-policy', { ...options, headers: { 'If-Match': '*' } });
  expect(changed.status, changed.text).toBeLessThan(300);
  await served();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...servers), request, async (name, given) => {
      const sent = await sendBoth(name, given);
      for (const { action, reason } of sent.explanation.verdicts) seen.add(reason ?? action);
      if (sent.arrived !== undefined) expectSameRequest(sent, sent.arrived);
      else expectSameRefusal(sent);
      seen.add(sent.explanation.refused?.code ?? 'sent');
    }),
    { numRuns: requestsPerPolicy, seed: seed + index, endOnFailure: true },
  );
});

it('every outcome was among what was compared, but for the one that no HTTP server takes', () => {
  const expected = [...dropReasons, 'kept', 'renamed', 'replaced', 'set', 'sent', 'duplicate_header', 'unsupported_media_type', 'method_not_allowed'];
  expect(expected.filter((outcome) => !seen.has(outcome))).toEqual(['invalid_value']);
});
