import { expect, vi } from 'vitest';
import type { AdminClient } from './admin-client.ts';
import { answerAsMcp } from './answer-as-mcp.ts';
import { makeCanary } from './canary.ts';
import type { RecordingUpstream } from './recording-upstream.ts';

export interface RoutedCanaries {
  /** In a header that the upstream was to get. */
  readonly passed: readonly string[];
  /** In a header, a body or a query of the caller's that it was not, or that is nobody's business but the upstream's. */
  readonly others: readonly string[];
  /** What callers were told besides the upstream's own answers. */
  readonly answers: readonly string[];
}

const policies = {
  none: { mode: 'none' },
  all: { mode: 'all' },
  list: { mode: 'list', list: ['X-Routed'] },
  mappings: { mode: 'mappings', mappings: [{ source: 'X-Routed', target: 'X-Renamed' }] },
} as const;
const tools = { operations: [{ name: 'things', method: 'GET', path: '/things' }] };
const call = (name: string): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });

/**
 * A request with marked headers by every route that data planes have: to an MCP server, an API and a virtual server, as a message,
 * over HTTP+SSE and directly, under each mode of a header policy.
 */
export async function callEveryRoute(admin: AdminClient, dataPlaneUrl: string, upstream: RecordingUpstream): Promise<RoutedCanaries> {
  upstream.handle((request, response) => (request.url.startsWith('/things') ? void response.end('{}') : answerAsMcp(request, response)));
  const canaries = { passed: [] as string[], others: [] as string[], answers: [] as string[] };
  const send = async (path: string, mode: keyof typeof policies, body: string): Promise<Response> => {
    const routed = makeCanary('routed-header');
    const [authorization, dropped] = [makeCanary('routed-token'), makeCanary('routed-and-dropped')];
    // A stream is opened here; what goes upstream is what is posted.
    (mode === 'none' || body === '' ? canaries.others : canaries.passed).push(routed);
    canaries.others.push(authorization, dropped);
    const response = await fetch(dataPlaneUrl + path, {
      method: body === '' ? 'GET' : 'POST',
      headers: { 'x-routed': routed, authorization: `Bearer ${authorization}`, cookie: `c=${dropped}`, 'x-real-ip': dropped, ...(body !== '' && { 'content-type': 'application/json' }) },
      ...(body !== '' && { body }),
    });
    canaries.answers.push([...response.headers].join('\n'));
    expect([path, response.status]).toEqual([path, response.ok ? response.status : 200]);
    return response;
  };
  for (const mode of Object.keys(policies) as (keyof typeof policies)[]) {
    const common = { agentAuth: { type: 'passthrough' }, appAuth: { type: 'passthrough' }, headerPolicy: policies[mode] };
    const documents = [
      { ...common, name: `mcp-${mode}`, type: 'mcp', upstream: { url: upstream.url } },
      { ...common, name: `api-${mode}`, type: 'api', upstream: { url: upstream.origin }, tools },
      { name: `virtual-${mode}`, type: 'virtual', agentAuth: { type: 'passthrough' }, members: [{ server: `mcp-${mode}`, prefix: 'mcp_' }, { server: `api-${mode}`, prefix: 'api_' }] },
    ];
    for (const document of documents) {
      const { status, body } = await admin.post('/v1/workspaces/default/servers', document);
      expect([status, body]).toEqual([201, expect.anything()]);
    }
    await vi.waitFor(async () => expect((await fetch(`${dataPlaneUrl}/mcp/default/virtual-${mode}`, { method: 'PUT' })).status).not.toBe(404), { timeout: 20_000 });
    await (await send(`/mcp/default/mcp-${mode}`, mode, call('inspect'))).text();
    await (await send(`/mcp/default/api-${mode}`, mode, call('things'))).text();
    await (await send(`/mcp/default/virtual-${mode}`, mode, call('mcp_inspect'))).text();
    await (await send(`/mcp/default/virtual-${mode}`, mode, call('api_things'))).text();
    const text = makeCanary('routed-body');
    const query = makeCanary('routed-query');
    canaries.others.push(text, query);
    await (await send(`/api/default/api-${mode}/things?q=${query}`, mode, JSON.stringify({ text }))).text();
    await callOnStream((path, body) => send(path, mode, body), `/sse/default/mcp-${mode}`);
  }
  return canaries;
}

/** HTTP+SSE: the call is posted where the stream says, and its answer comes there. */
async function callOnStream(send: (path: string, body: string) => Promise<Response>, path: string): Promise<void> {
  const reader = (await send(path, '')).body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const until = async (wanted: RegExp): Promise<string> => {
    for (;;) {
      const found = wanted.exec(text)?.[1];
      if (found !== undefined) return found;
      const piece = await reader?.read();
      if (piece?.value === undefined) throw new Error(`the stream ended: ${text}`);
      text += piece.value;
    }
  };
  const place = await until(/data: (\/sse\S+)\r?\n/);
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'spec', version: '1' } };
  await (await send(place, JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }))).text();
  await until(/("id":0)/);
  await (await send(place, call('inspect'))).text();
  await until(/("id":1)/);
  await reader?.cancel();
}
