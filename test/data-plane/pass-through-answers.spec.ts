import { afterAll, beforeAll, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* D8: whose credential an upstream refused decides whose 401 that is. */
let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let key: string;

beforeAll(async () => {
  upstream = await startRecordingUpstream({ handler: (_request, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer realm="upstream"', 'content-type': 'application/json' }).end('{"theirs":true}') });
  dataPlane = await startInProcessDataPlane();
  key = await dataPlane.addServiceAccount('ci');
  const at = { upstream: { url: upstream.url } };
  await dataPlane.publish(
    { ...at, name: 'passing', appAuth: { type: 'passthrough' } },
    { ...at, name: 'none' },
    { ...at, name: 'stored', appAuth: { type: 'bearer', token: 'stored' } },
    { ...at, name: 'keyed', agentAuth: { type: 'api-key' } },
    { ...at, name: 'mapped', headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-Token', target: 'authorization' }] } },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

const own = { authorization: 'Bearer callers' };
const upstreams = { 'x-upstream-authorization': 'Bearer upstreams' };

it.each<[string, string, () => Record<string, string>, boolean]>([
  ['app authentication passthrough', 'passing', () => own, true],
  ['app authentication passthrough, without any credential', 'passing', () => ({}), true],
  ['X-Upstream-Authorization', 'none', () => upstreams, true],
  ['a header that is mapped to Authorization', 'mapped', () => ({ 'x-token': 'Bearer mapped' }), true],
  ['no credential at all', 'none', () => own, false],
  ['a stored credential', 'stored', () => ({ ...own, ...upstreams }), false],
  // It would be taken for the gateway's own challenge, and send the caller to log in elsewhere.
  ['X-Upstream-Authorization of a caller that the gateway has authenticated', 'keyed', () => ({ 'x-gatehouse-key': key, ...upstreams }), false],
])('%s', async (_name, server, headers, isCallers) => {
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
  const response = await fetch(`${dataPlane.url}/mcp/default/${server}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers() }, body });
  const expected = isCallers ? [401, 'Bearer realm="upstream"', '{"theirs":true}'] : [502, null, expect.stringContaining('upstream_rejected_credentials')];
  expect([response.status, response.headers.get('www-authenticate'), await response.text()]).toEqual(expected);
});
