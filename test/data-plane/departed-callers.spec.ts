import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

/* Who a caller is may take long to find out. Callers that leave meanwhile are noticed, and nothing is sent for them. */

const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a', version: '1' } } });
let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let issuer: TokenIssuer;
beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane();
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});
beforeEach(async () => void (issuer = await startTokenIssuer()));
afterEach(() => issuer.close());

/** How calls of a server ended, by its log lines. */
const outcomesOf = (server: string): string[] =>
  dataPlane.log.map((line) => JSON.parse(line) as { msg: string; server?: string; outcome: string }).filter((line) => line.msg === 'call' && line.server === server).map(({ outcome }) => outcome);

async function countedOutcomes(server: string): Promise<number> {
  const metrics = await (await fetch(`${dataPlane.internalUrl}/metrics`)).text();
  const lines = metrics.split('\n').filter((line) => line.startsWith('gatehouse_requests_total') && line.includes(`server="${server}"`) && line.includes('caller_disconnected'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Requests as they arrive at a path, in this process. */
async function whileWatching<T>(path: string, work: (arrived: readonly ServerResponse[]) => Promise<T>): Promise<T> {
  const arrived: ServerResponse[] = [];
  const watch = (event: unknown): void => {
    const { request, response } = event as { request: IncomingMessage; response: ServerResponse };
    if (request.url === path) arrived.push(response);
  };
  subscribe('http.server.request.start', watch);
  return work(arrived).finally(() => unsubscribe('http.server.request.start', watch));
}

it.each([
  ['POST', 'mcp', 'streamable-http'],
  ['GET', 'mcp', 'streamable-http'],
  ['GET', 'sse', 'sse'],
  // Over a bridge.
  ['POST', 'mcp', 'sse'],
] as const)('%s /%s of an upstream that speaks %s: five that leave while a key set is fetched', async (method, endpoint, transport) => {
  const name = `${method.toLowerCase()}-${endpoint}-${transport}`;
  await dataPlane.publish({ name, upstream: { url: upstream.url, transport }, agentAuth: { type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl } } });
  const asked = Promise.withResolvers<ServerResponse>();
  issuer.answer(asked.resolve);
  const headers = { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const path = `/${endpoint}/default/${name}`;

  await whileWatching(path, async (arrived) => {
    const leave = new AbortController();
    const left = Array.from({ length: 5 }, () => fetch(dataPlane.url + path, { method, headers, body: method === 'POST' ? call : null, signal: leave.signal }).catch(() => 'left'));
    await vi.waitFor(() => expect(arrived).toHaveLength(5));
    leave.abort();
    expect(await Promise.all(left)).toEqual(Array(5).fill('left'));
    await vi.waitFor(() => expect(arrived.map(({ destroyed }) => destroyed)).toEqual(Array(5).fill(true)));
  });
  (await asked.promise).writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [issuer.key.publicJwk] }));

  await vi.waitFor(() => expect(outcomesOf(name)).toHaveLength(5));
  expect(outcomesOf(name)).toEqual(Array(5).fill('caller_disconnected'));
  expect(await countedOutcomes(name)).toBe(5);
  expect(upstream.requests).toHaveLength(0);
});
