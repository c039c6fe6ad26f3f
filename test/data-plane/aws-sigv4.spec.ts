import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { startSampleSseUpstream } from '../support/mcp-sample-sse-upstream.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/mcp-sample-upstream.ts';
import { sdkClients } from '../support/mcp-clients/sdk-clients.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type Sigv4Account, type Sigv4Gate, startSigv4Gate } from '../support/sigv4-gate.ts';

/* An upstream behind AWS IAM, whose signatures are computed again by AWS's own code from what arrives. */

const account: Sigv4Account = { region: 'eu-central-1', service: 'execute-api', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: randomBytes(30).toString('base64') };
const sessionToken = randomBytes(600).toString('base64');
const appAuth = { type: 'aws-sigv4', ...account } as const;

let dataPlane: InProcessDataPlane;
beforeAll(async () => {
  dataPlane = await startInProcessDataPlane();
});
afterAll(() => dataPlane.close());

describe('real clients', () => {
  let upstreams: readonly [SampleUpstream, SampleUpstream];
  let gates: readonly [Sigv4Gate, Sigv4Gate];

  beforeAll(async () => {
    upstreams = [await startSampleUpstream(), await startSampleSseUpstream()];
    const [streamable, sse] = (gates = [await startSigv4Gate(account, upstreams[0].url), await startSigv4Gate(account, upstreams[1].url)]);
    await dataPlane.publish(
      { name: 'streamable', upstream: { url: `${streamable.origin}/mcp` }, agentAuth: { type: 'api-key' }, appAuth },
      { name: 'sse', upstream: { url: `${sse.origin}/sse`, transport: 'sse' }, agentAuth: { type: 'api-key' }, appAuth },
    );
  });
  afterAll(async () => {
    for (const part of [...gates, ...upstreams]) await part.close();
  });

  // With the ones of the other transport, both bridges.
  const clients = sdkClients.filter(({ name }) => name.startsWith('SDK'));
  it.each(clients.flatMap((client) => [[client.name, 'streamable', client] as const, [client.name, 'sse', client] as const]))('%s, upstream: %s', async (_, server, client) => {
    const key = await dataPlane.addServiceAccount(`ana-${crypto.randomUUID()}`);
    const target = { url: `${dataPlane.url}/${client.endpoint}/default/${server}`, headers: { authorization: `Bearer ${key}` } };
    expect(await client.callTool(target, 'echo', { text: 'wörter 🎈' })).toBe('wörter 🎈');
    const gate = gates[server === 'streamable' ? 0 : 1];
    expect(gate.admitted.map(({ method }) => method)).toContain('POST');
    expect(gate.refused).toEqual([]);
  });
});

describe('one request', () => {
  const call = '{ "jsonrpc":"2.0",\t"id":7, "method":"tools/call","params":{"name":"wörter","arguments":{"a":1.0,"b":"\\u00fc 🎈"}} }\n';
  const answer = '{"jsonrpc":"2.0","id":7,"result":{}}';
  let upstream: RecordingUpstream;
  let gate: Sigv4Gate;

  const start = async (path: string, expected: Sigv4Account, server: Partial<SpecServer>): Promise<void> => {
    gate = await startSigv4Gate(expected, upstream.origin);
    await dataPlane.publish({ name: 'orders', upstream: { url: `${gate.origin}${path}` }, appAuth, ...server });
  };
  const post = (headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${dataPlane.url}/mcp/default/orders`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }, body: call });

  beforeEach(async () => {
    upstream = await startRecordingUpstream({ handler: (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(answer) });
  });
  afterEach(async () => {
    await gate.close();
    await upstream.close();
  });

  it.each<[string, string, Sigv4Account, Partial<SpecServer>]>([
    ['a path and a query, encoded in every way', "/a%20b/c+d/%7Ee/%C3%BC/(f)'!*/x:y@z?b=2&a=1%202&a=&c&%7E=~&d=a+b&é=%e2%82%AC&e=%2B", account, {}],
    ['the path of an object', '/bucket/a%20b//c%2Bd/~e/%28f%29', { ...account, service: 's3' }, { appAuth: { ...appAuth, service: 's3' } }],
    ['temporary credentials', '/mcp', { ...account, sessionToken }, { appAuth: { ...appAuth, sessionToken } }],
    ['outbound headers, with what is no ASCII', '/mcp', account, { outboundHeaders: [{ name: 'X-Service', source: { type: 'static', value: '  a   "b€ü"' } }] }],
  ])('%s', async (_, path, expected, server) => {
    await start(path, expected, server);
    const response = await post();
    expect([response.status, await response.text()]).toEqual([200, answer]);
    expect([gate.admitted.length, gate.refused.length]).toEqual([1, 0]);
    expect(upstream.requests[0]?.body).toEqual(Buffer.from(call));
  });

  it('every header that gives the request its meaning is signed, none that is written anew on the way', async () => {
    await start('/mcp', account, { headerPolicy: { mode: 'all' }, outboundHeaders: [{ name: 'X-Service', source: { type: 'static', value: 'key' } }] });
    const response = await post({ 'X-Tenant': 'acme', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'accept-encoding': 'gzip', 'mcp-protocol-version': '2025-06-18' });
    expect(response.status).toBe(200);
    const [{ signedHeaders = [] } = {}] = gate.admitted;
    expect(signedHeaders).toEqual(expect.arrayContaining(['accept', 'content-type', 'host', 'mcp-protocol-version', 'x-amz-content-sha256', 'x-amz-date', 'x-service', 'x-tenant']));
    expect(signedHeaders.filter((name) => ['user-agent', 'traceparent', 'accept-encoding', 'connection', 'content-length'].includes(name))).toEqual([]);
  });

  it('of the caller’s nothing leaves under the names of the signature, nor in its place', async () => {
    await start('/mcp', account, { headerPolicy: { mode: 'all' } });
    const forged = { authorization: 'AWS4-HMAC-SHA256 Credential=caller', 'X-Amz-Date': '20150830T123600Z', 'X_Amz_Date': 'forged', 'X-Amz-Security-Token': 'forged', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'X-Upstream-Authorization': 'forged' };
    expect((await post(forged)).status).toBe(200);
    expect(JSON.stringify(upstream.requests[0]?.rawHeaders)).not.toMatch(/forged|20150830|UNSIGNED|caller/);
  });

  it('a redirect in scope is signed for where it leads', async () => {
    await start('/team/mcp', account, {});
    upstream.handle(({ url }, response) => void response.writeHead(url.endsWith('/') ? 200 : 307, { location: '/team/mcp/x/' }).end(answer));
    expect((await post()).status).toBe(200);
    expect(gate.admitted.map(({ url }) => url)).toEqual(['/team/mcp', '/team/mcp/x/']);
    const [first, second] = gate.admitted.map((request) => headerValue(request, 'authorization'));
    expect(second).not.toBe(first);
  });

  it('a streamed answer arrives piece by piece', async () => {
    await start('/mcp', account, {});
    const next = Promise.withResolvers<void>();
    upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
      void next.promise.then(() => response.end('data: second\n\n'));
    });
    const reader = (await post()).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: first\n\n');
    next.resolve();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: second\n\n');
  });

  it('with another key it is refused', async () => {
    await start('/mcp', account, { appAuth: { ...appAuth, secretAccessKey: 'another' } });
    expect((await post()).status).toBe(403);
    expect([gate.refused.length, upstream.requests.length]).toEqual([1, 0]);
  });

  it('the key itself is neither sent nor logged', async () => {
    await start('/mcp', account, {});
    await post();
    expect(JSON.stringify(upstream.requests)).not.toContain(account.secretAccessKey);
    expect(dataPlane.log.join('')).not.toContain(account.secretAccessKey);
  });
});
