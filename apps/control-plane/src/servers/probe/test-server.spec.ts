import { createServer as createHttpsServer } from 'node:https';
import { createAddressGuard } from '@gatehouse/egress';
import { selfSignedCertificate } from '@gatehouse/egress/testing';
import type { UpstreamServerDocument } from '@gatehouse/gateway-config';
import { Secret } from '@gatehouse/sealing';
import { afterEach, describe, expect, it } from 'vitest';
import { answerAsMcp } from '../../../../../test/support/answer-as-mcp.ts';
import { closeHttpServer, listenOnLoopback } from '../../../../../test/support/listen.ts';
import { startSampleSseUpstream } from '../../../../../test/support/mcp-sample-sse-upstream.ts';
import { startSampleUpstream } from '../../../../../test/support/mcp-sample-upstream.ts';
import { headerPairs, type RecordingHandler, startRecordingUpstream } from '../../../../../test/support/recording-upstream.ts';
import { apiKey, apiKeyValue, impatient, localOnly, serverAt, startTcpUpstream } from './probe.fixture.ts';
import { type ProbeStep, type ProbeStepName, testReport, type TestReport } from './probe-results.ts';
import { testServer } from './test-server.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function upstreamThat(handler?: RecordingHandler) {
  const upstream = await startRecordingUpstream(handler && { handler });
  cleanUps.push(() => upstream.close());
  return upstream;
}

const outboundHeaders: UpstreamServerDocument['outboundHeaders'] = [{ name: 'X-Service-Key', prefix: 'Service', source: { type: 'static', value: new Secret('of-the-service-0123456789') } }];

const outcomes = ({ steps }: TestReport): string => steps.map(({ outcome }) => outcome.charAt(0)).join('');
const stepOf = ({ steps }: TestReport, name: ProbeStepName): ProbeStep | undefined => steps.find(({ step }) => step === name);
/** Of resolve, connect, tls, authenticate, discover, initialize, list-tools. */
const failedStep = (report: TestReport): ProbeStep | undefined => {
  expect(report.outcome).toBe('failed');
  expect(testReport.parse(report)).toEqual(report);
  return report.steps.find(({ outcome }) => outcome === 'failed');
};

describe('passes', () => {
  it('along a redirect in the scope of the upstream’s URL, the key there once', async () => {
    const key = `X-Api-Key=${apiKeyValue}`;
    const upstream = await upstreamThat((request, response) => {
      if (request.url.startsWith('/mcp/')) return answerAsMcp(request, response);
      response.writeHead(307, { Location: '/mcp/?X-Api-Key=other&page=1' }).end();
    });
    const report = await testServer(serverAt(upstream.url, apiKey('query')), localOnly);
    expect(report.outcome).toBe('passed');
    expect([...new Set(upstream.requests.map(({ url }) => url))].sort()).toEqual([`/mcp/?page=1&${key}`, `/mcp?${key}`]);
  });

  it('against a modern upstream', async () => {
    const upstream = await startSampleUpstream();
    cleanUps.push(() => upstream.close());
    const report = await testServer(serverAt(upstream.url), localOnly);
    expect([report.outcome, outcomes(report)]).toEqual(['passed', 'spsppsp']);
    expect(stepOf(report, 'discover')?.detail).toMatch(/^Revision 2026-07-28 with gatehouse-sample-upstream 1\.0\.0, which offers .*tools/);
    expect(stepOf(report, 'list-tools')?.detail).toBe('3 tools: echo, whoami, slow.');
    expect(testReport.parse(report)).toEqual(report);
  });

  it('against a legacy upstream, by name, and leaves no session behind', async () => {
    const upstream = await upstreamThat((request, response) => {
      const { id, method } = JSON.parse(request.body.toString() || '{}') as { id?: number; method?: string };
      if (request.method === 'GET') return void response.writeHead(405).end();
      if (request.method === 'DELETE') return void response.writeHead(204).end();
      if (method === 'server/discover') return void response.writeHead(400, { 'Content-Type': 'text/html' }).end('<html>Bad Request</html>');
      if (id === undefined) return void response.writeHead(202).end();
      const initialized = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'old', version: '1' } };
      const result = method === 'initialize' ? initialized : { tools: [] };
      response.writeHead(200, { 'Content-Type': 'application/json', 'Mcp-Session-Id': 'the-session' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
    const report = await testServer(serverAt(`http://localhost:${upstream.port}/mcp`), localOnly);
    expect([report.outcome, outcomes(report)]).toEqual(['passed', 'ppspspp']);
    expect(stepOf(report, 'initialize')?.detail).toMatch(/^Revision 2025-06-18 with old 1/);
    expect(stepOf(report, 'list-tools')?.advice).toMatch(/credential/);
    expect(upstream.requests.at(-1)).toMatchObject({ method: 'DELETE' });
  });

  it('against HTTP+SSE', async () => {
    const upstream = await startSampleSseUpstream();
    cleanUps.push(() => upstream.close());
    const report = await testServer(serverAt(upstream.url, apiKey(), 'sse'), localOnly);
    expect([report.outcome, outcomes(report)]).toEqual(['passed', 'spspspp']);
    expect(upstream.log.headers.map((headers) => headers['x-api-key'])).toEqual(upstream.log.headers.map(() => apiKeyValue));
  });

  it('where a legacy upstream breaks on what it does not know', async () => {
    const upstream = await upstreamThat((request, response) => {
      const { id, method } = JSON.parse(request.body.toString() || '{}') as { id?: number; method?: string };
      if (method === 'server/discover' || request.method !== 'POST') return void response.writeHead(500).end('Internal Server Error');
      if (id === undefined) return void response.writeHead(202).end();
      const result = { protocolVersion: '2025-03-26', capabilities: {}, serverInfo: { name: 'old', version: '1' } };
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
    const report = await testServer(serverAt(upstream.url), localOnly);
    expect([report.outcome, outcomes(report)]).toEqual(['passed', 'spspsps']);
  });
});

describe('sends', () => {
  it.each([
    ['a header', apiKey('header'), /^\/mcp$/, 1],
    ['a query parameter', apiKey('query'), new RegExp(`^/mcp\\?X-Api-Key=${apiKeyValue}$`), 0],
  ])('the credential in %s, on every request, and tells only its name', async (_, appAuth, path, count) => {
    const upstream = await upstreamThat();
    const report = await testServer(serverAt(upstream.url, appAuth), localOnly);
    expect(report.outcome).toBe('passed');
    expect(upstream.requests.length).toBeGreaterThan(1);
    for (const request of upstream.requests) {
      expect(request.url).toMatch(path);
      expect(headerPairs(request, 'x-api-key')).toEqual(count === 1 ? [['X-Api-Key', apiKeyValue]] : []);
    }
    expect(JSON.stringify(report)).toContain('X-Api-Key');
    expect(JSON.stringify(report)).not.toContain(apiKeyValue);
  });

  it('outbound headers beside the credential, on every request, and tells only their names', async () => {
    const upstream = await upstreamThat();
    const report = await testServer({ ...serverAt(upstream.url, apiKey()), outboundHeaders }, localOnly);
    expect(report.outcome).toBe('passed');
    for (const request of upstream.requests) {
      expect([headerPairs(request, 'x-api-key'), headerPairs(request, 'x-service-key')]).toEqual([[['X-Api-Key', apiKeyValue]], [['X-Service-Key', 'Service of-the-service-0123456789']]]);
    }
    expect(stepOf(report, 'authenticate')?.detail).toContain('with header X-Api-Key, outbound header X-Service-Key.');
    expect(JSON.stringify(report)).not.toContain('of-the-service');
  });
});

describe('outbound headers that are refused', () => {
  it.each([
    [{ type: 'none' } as const, 401], [apiKey(), 401], [apiKey(), 403],
  ])('are named in the advice, with appAuth %j and HTTP %i, and what the upstream repeats of them is not told', async (appAuth, status) => {
    const upstream = await upstreamThat((request, response) => void response.writeHead(status, { 'Content-Type': 'text/plain' }).end(`wrong: ${headerPairs(request, 'x-service-key')[0]?.[1]}`));
    const report = await testServer({ ...serverAt(upstream.url, appAuth), outboundHeaders }, localOnly);
    expect(failedStep(report)).toMatchObject({ step: 'authenticate', reason: 'upstream_rejected_credentials', advice: expect.stringContaining('outboundHeaders sets (X-Service-Key)') as unknown });
    expect(JSON.stringify(report)).not.toContain('of-the-service');
  });
});

describe('fails at', () => {
  it('resolve: a name that does not resolve', async () => {
    const report = await testServer(serverAt('http://nowhere.invalid/mcp'), localOnly);
    expect(failedStep(report)).toMatchObject({ step: 'resolve', reason: 'upstream_unreachable' });
    expect(outcomes(report)).toBe('fssssss');
  });

  it.each(['127.0.0.1', 'localhost', '[::ffff:7f00:1]', '2130706433'])('connect: the guard refuses %s, and its address is not told', async (host) => {
    const upstream = await upstreamThat();
    const report = await testServer(serverAt(`http://${host}:${upstream.port}/mcp`), { guard: createAddressGuard({ allowedRanges: [] }) });
    expect(failedStep(report)).toMatchObject({ step: 'connect', reason: 'upstream_address_refused' });
    expect(JSON.stringify(report)).not.toMatch(/127\.0\.0\.1|::1|7f00/);
    expect(upstream.requests).toEqual([]);
  });

  it('connect: connection refused', async () => {
    const { port, close } = await startTcpUpstream(() => undefined);
    close();
    expect(failedStep(await testServer(serverAt(`http://127.0.0.1:${port}/mcp`), localOnly))).toMatchObject({ step: 'connect', reason: 'upstream_unreachable' });
  });

  it.each([
    ['self-signed', {}, /^The certificate is self-signed.*TLSv1\.3, certificate of localhost, issued by localhost, valid until/],
    ['for another host', { dnsNames: ['other.example'] }, /the certificate is for another host name.* for DNS:other\.example.* and not for localhost\./],
    ['expired', { notBefore: new Date('2020-01-01'), notAfter: new Date('2020-02-01') }, /^The certificate has expired .*valid until Feb +1 .*2020/],
  ])('tls: a certificate that is %s, and nothing is sent', async (_, options, detail) => {
    const requests: unknown[] = [];
    const server = createHttpsServer(selfSignedCertificate(options), (request) => requests.push(request));
    const port = await listenOnLoopback(server);
    cleanUps.push(() => closeHttpServer(server));
    const report = await testServer(serverAt(`https://localhost:${port}/mcp`, apiKey()), localOnly);
    expect(failedStep(report)).toMatchObject({ step: 'tls', reason: 'upstream_unreachable', detail: expect.stringMatching(detail) as unknown });
    expect(outcomes(report)).toBe('ppfssss');
    expect(requests).toEqual([]);
  });

  it('tls: https to a plain port', async () => {
    const upstream = await upstreamThat();
    const report = await testServer(serverAt(upstream.url.replace('http:', 'https:')), localOnly);
    expect(failedStep(report)).toMatchObject({ step: 'tls', detail: expect.stringContaining('TLS handshake failed') as unknown });
  });

  it('tls: an upstream that never answers the handshake', async () => {
    const upstream = await startTcpUpstream(() => undefined);
    cleanUps.push(upstream.close);
    expect(failedStep(await testServer(serverAt(`https://127.0.0.1:${upstream.port}/mcp`), impatient))).toMatchObject({ step: 'tls', reason: 'upstream_timeout' });
  });

  it.each([
    [401, apiKey(), /appAuth \(api-key\)/],
    [403, apiKey(), /allowed/],
    [401, { type: 'none' } as const, /appAuth is none/],
  ])('authenticate: HTTP %i, with advice that names the type', async (status, appAuth, advice) => {
    const upstream = await upstreamThat((_request, response) => void response.writeHead(status, { 'WWW-Authenticate': 'Bearer realm="x"' }).end('denied'));
    const report = await testServer(serverAt(upstream.url, appAuth), localOnly);
    expect(failedStep(report)).toMatchObject({
      step: 'authenticate',
      reason: 'upstream_rejected_credentials',
      detail: `The upstream answered HTTP ${status}, asking for Bearer credentials. It says: “denied”`,
      advice: expect.stringMatching(advice) as unknown,
    });
    expect(outcomes(report)).toBe('spsfsss');
    expect(upstream.requests).toHaveLength(1);
  });

  it.each([302, 307, 308])('discover: a redirect (%i) is not followed and its target’s origin is told', async (status) => {
    const target = await upstreamThat();
    const upstream = await upstreamThat((_request, response) => void response.writeHead(status, { Location: `${target.origin}/login?state=opaque` }).end());
    const report = await testServer(serverAt(upstream.url, apiKey()), localOnly);
    expect(failedStep(report)).toMatchObject({ step: 'discover', reason: 'upstream_redirected', detail: expect.stringContaining(` to ${target.origin},`) as unknown });
    expect(JSON.stringify(report)).not.toContain('opaque');
    expect([target.requests.length, upstream.requests.length]).toEqual([0, 1]);
  });

  it.each([
    ['out of the configured path', 308, '/elsewhere'],
    ['that makes a GET of a POST', 303, '/mcp/'],
  ])('discover: a redirect %s is not followed either', async (_, status, location) => {
    const upstream = await upstreamThat((_request, response) => void response.writeHead(status, { Location: location }).end());
    expect(failedStep(await testServer(serverAt(upstream.url), localOnly))).toMatchObject({ reason: 'upstream_redirected' });
    expect(upstream.requests).toHaveLength(1);
  });

  it('initialize: a web page', async () => {
    const page = '<!doctype html><html><head><title>Welcome to Orders</title></head><body><script>x</script></body></html>';
    const upstream = await upstreamThat((_request, response) => void response.writeHead(200, { 'Content-Type': 'text/html' }).end(page));
    const report = await testServer(serverAt(upstream.url), localOnly);
    expect(failedStep(report)).toMatchObject({ reason: 'upstream_not_mcp', detail: 'The upstream answered HTTP 200 with a web page (HTML) instead of MCP. It says: “Welcome to Orders”' });
    expect(outcomes(report)).toBe('spsssfs');
  });

  it('discover: an upstream that hangs', async () => {
    const upstream = await upstreamThat(() => undefined);
    const report = await testServer(serverAt(upstream.url), impatient);
    expect(failedStep(report)).toMatchObject({ step: 'discover', reason: 'upstream_timeout' });
  });

  it('discover: an upstream that begins a stream and then hangs', async () => {
    const upstream = await upstreamThat((_request, response) => void response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders());
    const report = await testServer(serverAt(upstream.url), impatient);
    expect(failedStep(report)).toMatchObject({ reason: 'upstream_timeout' });
  });

  it('initialize: an HTTP+SSE stream that never names its endpoint, or names one elsewhere', async () => {
    const silent = await upstreamThat((_request, response) => void response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders());
    expect(failedStep(await testServer(serverAt(silent.url, apiKey(), 'sse'), impatient))).toMatchObject({ step: 'initialize', reason: 'upstream_timeout' });
    const elsewhere = await upstreamThat();
    const astray = await upstreamThat((_request, response) => void response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(`event: endpoint\ndata: ${elsewhere.url}\n\n`));
    expect(failedStep(await testServer(serverAt(astray.url, apiKey(), 'sse'), impatient))).toMatchObject({ step: 'initialize', reason: 'upstream_failed' });
    expect(elsewhere.requests).toEqual([]);
  });

  it('list-tools: a credential that is looked at only then', async () => {
    const upstream = await startRecordingUpstream();
    cleanUps.push(() => upstream.close());
    const { answerAsMcp } = await import('../../../../../test/support/answer-as-mcp.ts');
    upstream.handle((request, response) => (request.body.includes('tools/list') ? void response.writeHead(401).end() : answerAsMcp(request, response)));
    expect(failedStep(await testServer(serverAt(upstream.url, apiKey()), localOnly))).toMatchObject({ step: 'list-tools', reason: 'upstream_rejected_credentials' });
  });

  it('initialize: a JSON-RPC error, whose text is masked and bounded', async () => {
    const upstream = await upstreamThat((request, response) => {
      const { id } = JSON.parse(request.body.toString()) as { id: number };
      const message = `No ${apiKeyValue} ${Buffer.from(`user:${apiKeyValue}`).toString('base64')} ${'x'.repeat(1_000)}`;
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32603, message } }));
    });
    const report = await testServer(serverAt(upstream.url, apiKey()), localOnly);
    const failed = failedStep(report);
    expect(failed).toMatchObject({ step: 'initialize', reason: 'upstream_failed', detail: expect.stringContaining('error -32603') as unknown });
    expect(failed?.detail).toMatch(/No \[secret\] .*\[secret\] x+…”$/);
    expect(failed?.detail?.length).toBeLessThan(350);
    expect(JSON.stringify(report)).not.toContain(apiKeyValue);
  });

  it.each([
    ['text', (secret: string) => secret],
    ['base64', (secret: string) => Buffer.from(`me:${secret}`).toString('base64')],
  ])('anything: the upstream’s echo of the secret as %s is not repeated', async (_, form) => {
    const upstream = await upstreamThat((request, response) => void response.writeHead(401, { 'Content-Type': 'text/plain' }).end(`bad key ${form(headerPairs(request, 'x-api-key')[0]?.[1] ?? '')}!`));
    const report = await testServer(serverAt(upstream.url, apiKey()), localOnly);
    expect(failedStep(report)?.detail).toMatch(/bad key .{0,6}\[secret\].{0,4}!/);
    expect(JSON.stringify(report)).not.toContain(form(apiKeyValue).slice(8, -4));
  });
});
