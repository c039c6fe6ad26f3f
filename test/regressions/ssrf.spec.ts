import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { closeHttpServer } from '../support/listen.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* Upstream URLs that lead inside, in every spelling (CWE-918). Nothing is allowed; a canary on the loopback address must see no connection. */

let strict: InProcessDataPlane;
let canary: Server;
let port: number;
let connections = 0;
let requests = 0;

beforeAll(async () => {
  canary = createServer((_request, response) => response.end('{"jsonrpc":"2.0","id":1,"result":{}}'));
  canary.on('connection', () => (connections += 1));
  canary.on('request', () => (requests += 1));
  // On every address this machine has, of both families where it has both.
  canary.listen(0);
  await once(canary, 'listening');
  ({ port } = canary.address() as AddressInfo);
  strict = await startInProcessDataPlane({ GATEHOUSE_EGRESS_ALLOWED_RANGES: '' });
});
afterAll(async () => {
  await strict.close();
  await closeHttpServer(canary);
});

const initialize = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize' });
const post = (dataPlane: InProcessDataPlane, name: string): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: initialize });
const codeOf = async (response: Response): Promise<unknown> => ((await response.json()) as { error?: { data: { code: string } } }).error?.data.code;

const spellings: [string, string[]][] = [
  ['dotted', ['127.0.0.1', '127.255.255.254', '0.0.0.0', '127.1', '127.0.1', '0']],
  ['a number', ['2130706433', '0x7f000001', '017700000001', '0x7F000001']],
  ['octal and hexadecimal parts', ['0177.0.0.1', '0177.0.0.01', '0x7f.0.0.1', '0x7f.0x0.0x0.0x1', '0x7f.1']],
  ['full-width and other digits', ['１２７.０.０.１', '①②⑦.⓪.⓪.①', '127。0。0。1', '127．0．0．1']],
  ['percent-encoded', ['%31%32%37.0.0.1', '%6c%6f%63%61%6c%68%6f%73%74']],
  ['names', ['localhost', 'LOCALHOST', 'ｌｏｃａｌｈｏｓｔ']],
  ['IPv6 loopback', ['[::1]', '[0:0:0:0:0:0:0:1]', '[::]']],
  ['IPv4 in IPv6', ['[::127.0.0.1]', '[::7f00:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:0:7f00:1]']],
  ['NAT64, 6to4, Teredo, ISATAP', ['[64:ff9b::7f00:1]', '[64:ff9b::127.0.0.1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2001:0:7f00:1::1]', '[2606:4700::5efe:7f00:1]']],
  ['link-local', ['169.254.0.1', '[fe80::1]', '[fe80::a9fe:a9fe]']],
  ['metadata', ['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '[::ffff:169.254.169.254]', '[64:ff9b::a9fe:a9fe]', '[fd00:ec2::254]', '100.100.100.200', '168.63.129.16']],
  ['private', ['10.0.0.1', '172.16.0.1', '192.168.0.1', '100.64.0.1', '[fc00::1]', '[fd00::1]', '[fec0::1]']],
  ['multicast, broadcast, reserved', ['224.0.0.1', '255.255.255.255', '240.0.0.1', '[ff02::1]', '192.0.2.1']],
];

describe.each([['streamable-http', '/mcp'], ['sse', '/sse']] as const)('an upstream of transport %s', (transport, path) => {
  it.each(spellings)('%s: refused, nothing connects', async (_, hosts) => {
    const before = connections;
    const servers = hosts.map((host, index) => ({ name: `host-${index}`, upstream: { url: `http://${host}:${port}${path}`, transport } }));
    await strict.publish(...servers);
    for (const [index, host] of hosts.entries()) {
      const response = await post(strict, `host-${index}`);
      expect([host, response.status, await codeOf(response)]).toEqual([host, 502, 'upstream_address_refused']);
    }
    expect(connections).toBe(before);
  });
});

it('localhost. resolves or not, as the system has it; nothing connects', async () => {
  const before = connections;
  await strict.publish({ name: 'dotted', upstream: { url: `http://localhost.:${port}/mcp` } });
  expect(['upstream_address_refused', 'upstream_unreachable']).toContain(await codeOf(await post(strict, 'dotted')));
  expect(connections).toBe(before);
});

it('the answer does not say what a name resolved to', async () => {
  await strict.publish({ name: 'named', upstream: { url: `http://localhost:${port}/mcp` } });
  expect(await (await post(strict, 'named')).text()).not.toMatch(/127\.0\.0\.1|::1|loopback/);
});

describe('where loopback is allowed', () => {
  let open: InProcessDataPlane;
  let upstream: RecordingUpstream;
  beforeAll(async () => {
    open = await startInProcessDataPlane();
    upstream = await startRecordingUpstream();
  });
  afterAll(async () => {
    await open.close();
    await upstream.close();
  });

  // That the canary is one: the same spellings reach it.
  it.each(['127.0.0.1', '2130706433', '0x7f.1', '０１７７.0.0.1', '[::ffff:7f00:1]'])('%s reaches the canary', async (host) => {
    const before = requests;
    await open.publish({ name: 'reaches', upstream: { url: `http://${host}:${port}/mcp` } });
    expect((await post(open, 'reaches')).status).toBe(200);
    expect(requests).toBe(before + 1);
    await open.remove('reaches');
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/iam/security-credentials/',
    'http://[::ffff:a9fe:a9fe]/latest/meta-data/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://2852039166/',
    'http://metadata.google.internal/computeMetadata/v1/',
    '//169.254.169.254/latest/',
    'http://10.0.0.1/mcp',
  ])('a redirect to %s is not followed', async (location) => {
    upstream.handle((_request, response) => void response.writeHead(307, { location }).end());
    await open.publish({ name: 'redirects', upstream: { url: upstream.url } });
    const response = await post(open, 'redirects');
    expect([response.status, await codeOf(response)]).toEqual([502, 'upstream_redirected']);
  });

  it.each(['http://169.254.169.254/messages', '//169.254.169.254/messages', 'http://2852039166/messages'])('a legacy endpoint at %s is not posted to', async (endpoint) => {
    upstream.requests.length = 0;
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: endpoint\ndata: ${endpoint}\n\n`));
    await open.publish({ name: 'legacy', upstream: { url: upstream.url, transport: 'sse' } });
    const response = await post(open, 'legacy');
    expect([response.status, await codeOf(response)]).toEqual([502, 'upstream_failed']);
    expect(upstream.requests.map(({ method }) => method)).toEqual(['GET']);
  });
});
