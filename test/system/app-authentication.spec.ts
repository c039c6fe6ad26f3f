import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerPairs, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type RunningGatehouse, startUp } from '../support/start-up.ts';
import { vi } from 'vitest';

let gatehouse: RunningGatehouse;
let upstream: RecordingUpstream;
const servers = '/v1/workspaces/default/servers';
const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } });
/** What every request has, whatever its authentication. */
const ordinary = ['accept', 'connection', 'content-length', 'content-type', 'host', 'user-agent'];

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  gatehouse = await startUp();
});
afterAll(async () => {
  await gatehouse.close();
  await upstream.close();
});

async function seenBy(url: string): Promise<{ headers: [string, string][]; target: string }> {
  const before = upstream.requests.length;
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer callers', 'x-api-key': 'callers' }, body: call });
  expect(response.status).toBe(200);
  const request = upstream.requests[before] as RecordedRequest;
  return { headers: headerPairs(request).filter(([name]) => !ordinary.includes(name.toLowerCase())), target: request.url };
}

const document = (name: string, appAuth: unknown, query = '') => ({ name, type: 'mcp', upstream: { url: `${upstream.url}${query}` }, agentAuth: { type: 'passthrough' }, appAuth });

describe('P10 app authentication, from the REST API to the upstream', () => {
  it.each<[string, unknown, [string, string][], string]>([
    ['none', { type: 'none' }, [], '/mcp'],
    ['api-key in a header', { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'k' }, [['X-API-Key', 'k']], '/mcp'],
    ['api-key in the query', { type: 'api-key', name: 'key', in: 'query', value: 'a&b=c' }, [], '/mcp?key=a%26b%3Dc'],
    ['bearer', { type: 'bearer', token: 't' }, [['Authorization', 'Bearer t']], '/mcp'],
    ['basic', { type: 'basic', username: 'Aladdin', password: 'open sesame' }, [['Authorization', 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==']], '/mcp'],
    ['custom-headers', { type: 'custom-headers', headers: [{ name: 'X-A', value: '1' }, { name: 'X-B', value: '2' }] }, [['X-A', '1'], ['X-B', '2']], '/mcp'],
  ])('%s', async (name, appAuth, headers, target) => {
    const { mcp } = await gatehouse.addServer(document(name.replaceAll(' ', '-'), appAuth));
    expect(await seenBy(mcp)).toEqual({ headers, target });
  });

  it('a key in the query is added to a query that is there', async () => {
    const { mcp } = await gatehouse.addServer(document('with-query', { type: 'api-key', name: 'key', in: 'query', value: 'v' }, '?tenant=1'));
    expect((await seenBy(mcp)).target).toBe('/mcp?tenant=1&key=v');
  });
});

describe('P20 several custom authentication headers', () => {
  it('the last of a duplicate wins, rows without a name are ignored, values may be empty or beyond Latin-1', async () => {
    const headers = [{ name: 'X-A', value: 'first' }, { name: '', value: 'lost' }, { name: 'x-a', value: 'last' }, { name: 'X-Empty', value: '' }, { name: 'X-Euro', value: '€' }];
    const { mcp } = await gatehouse.addServer(document('duplicates', { type: 'custom-headers', headers }));
    const seen = await seenBy(mcp);
    expect(seen.headers.map(([name, value]) => [name, Buffer.from(value, 'latin1').toString('utf8')])).toEqual([['x-a', 'last'], ['X-Empty', ''], ['X-Euro', '€']]);
  });

  it('a hundred of them, and the legacy single pair', async () => {
    const hundred = Array.from({ length: 100 }, (_, index) => ({ name: `X-${index}`, value: `v${index}` }));
    const many = await gatehouse.addServer(document('hundred', { type: 'custom-headers', headers: hundred }));
    expect((await seenBy(many.mcp)).headers).toHaveLength(100);
    const single = await gatehouse.addServer(document('single', { type: 'custom-headers', name: 'X-Old', value: 'v' }));
    expect((await seenBy(single.mcp)).headers).toEqual([['X-Old', 'v']]);
  });

  it('none at all is refused, by name', async () => {
    const { status, body } = await gatehouse.admin.post(servers, document('empty', { type: 'custom-headers', headers: [] }));
    expect([status, body]).toMatchObject([422, { errors: [{ pointer: '/appAuth/headers' }] }]);
  });
});

it('P14 the type of authentication is changed and the server stays: same id, same URL, the old secret gone', async () => {
  const { mcp } = await gatehouse.addServer(document('changing', { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'old' }));
  const before = await gatehouse.admin.get<{ id: string; url: string; createdAt: string }>(`${servers}/changing`);
  const changed = await gatehouse.admin.patch<{ id: string; url: string; createdAt: string }>(`${servers}/changing`, { appAuth: { type: 'bearer', token: 'new' } }, { 'if-match': '*' });
  const identity = ({ id, url, createdAt }: { id: string; url: string; createdAt: string }) => ({ id, url, createdAt });
  expect([changed.status, identity(changed.body)]).toEqual([200, identity(before.body)]);
  await vi.waitFor(async () => expect((await seenBy(mcp)).headers).toEqual([['Authorization', 'Bearer new']]));
  // Back to the first type: its secret was not kept.
  const back = await gatehouse.admin.patch(`${servers}/changing`, { appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header' } }, { 'if-match': '*' });
  expect([back.status, back.body]).toMatchObject([422, { errors: [{ pointer: '/appAuth/value' }] }]);
});

describe('P21 the test of a server', () => {
  interface Report {
    outcome: string;
    steps: { step: string; outcome: string; reason?: string; advice?: string }[];
  }
  const test = async (name: string): Promise<Report> => (await gatehouse.admin.post<Report>(`${servers}/${name}/test`)).body;

  it('connects with the stored configuration and reports each step', async () => {
    await gatehouse.addServer(document('tested', { type: 'bearer', token: 'stored-for-test' }));
    const before = upstream.requests.length;
    const report = await test('tested');
    expect(report.steps.map(({ step }) => step)).toEqual(['resolve', 'connect', 'tls', 'authenticate', 'discover', 'initialize', 'list-tools']);
    expect(headerPairs(upstream.requests[before] as RecordedRequest, 'authorization')).toEqual([['Authorization', 'Bearer stored-for-test']]);
  });

  it('says where it fails, and what to do', async () => {
    upstream.handle((_request, response) => void response.writeHead(401).end());
    const report = await test('tested');
    expect(report.outcome).toBe('failed');
    expect(report.steps.find(({ outcome }) => outcome === 'failed')).toMatchObject({ step: 'authenticate', reason: 'upstream_rejected_credentials', advice: expect.stringContaining('bearer') as string });
    expect(JSON.stringify(report)).not.toContain('stored-for-test');
  });
});
