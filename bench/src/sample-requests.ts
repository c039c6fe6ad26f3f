import type { IncomingRequest } from './data-plane-parts.ts';
import { fixtureSecrets } from './pipeline-fixture.ts';
import { apiPath, bearerPath, connectedPath, exchangePath, interactivePath, sampleCall, samplePath, signedPath } from './sample-call.ts';

/** The head of a call as an MCP client behind a load balancer sends it. */
const headWith = (authorization: string, length: number): readonly string[] => [
  'Host', 'gatehouse.example',
  'Connection', 'keep-alive',
  'Authorization', authorization,
  'Content-Type', 'application/json',
  'Accept', 'application/json, text/event-stream',
  'User-Agent', 'example-agent/2.4 (mcp-client)',
  'Accept-Encoding', 'gzip, deflate',
  'Accept-Language', '*',
  'Content-Length', String(length),
  'traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'X-Forwarded-For', '203.0.113.7',
];
const legacy = ['MCP-Protocol-Version', '2025-11-25'];
const modern = ['MCP-Protocol-Version', '2026-07-28', 'Mcp-Method', 'tools/call', 'Mcp-Name', 'search_orders'];
/** 2 KiB, as the target for signatures has it. */
const largeBody = sampleCall.body.replace('"text":"', `"text":"${'kettle '.repeat(236)}`);
const modernBody = sampleCall.body.replace('"_meta":{', '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},');

const listBody = '{"jsonrpc":"2.0","id":1042,"method":"tools/list","params":{}}';

export type RequestKind = 'legacy' | 'legacy with session' | 'modern' | 'interactive' | 'connected' | 'bearer' | 'exchange' | 'sigv4' | 'api' | 'api list' | 'virtual';

const callers: Partial<Record<RequestKind, readonly [path: string, authorization: string]>> = {
  interactive: [interactivePath, fixtureSecrets.personAuthorization],
  connected: [connectedPath, fixtureSecrets.connectedAuthorization],
  bearer: [bearerPath, fixtureSecrets.tokenAuthorization],
  exchange: [exchangePath, fixtureSecrets.tokenAuthorization],
  sigv4: [signedPath, fixtureSecrets.authorization],
  api: [apiPath, fixtureSecrets.authorization],
  'api list': [apiPath, fixtureSecrets.authorization],
  virtual: ['/mcp/default/orders-virtual', fixtureSecrets.authorization],
};

/** The same tool of the last of ten members. */
const virtualBody = modernBody.replace('"search_orders"', '"m9_search_orders"');

const bodies: Partial<Record<RequestKind, string>> = { modern: modernBody, virtual: virtualBody, sigv4: largeBody, 'api list': listBody };

const protocolOf = (kind: RequestKind): readonly string[] => (kind === 'modern' ? modern : kind === 'virtual' ? modern.with(-1, 'm9_search_orders') : legacy);

/** Fresh requests: no string is one the engine has seen, hashed or interned before, just as none from a socket is. */
export function makeRequests(kind: RequestKind, count: number, sessionId = ''): IncomingRequest[] {
  const [path, authorization] = callers[kind] ?? [samplePath, fixtureSecrets.authorization];
  const text = bodies[kind] ?? sampleCall.body;
  const rows = [...headWith(authorization, text.length), ...protocolOf(kind), ...(kind === 'legacy with session' ? ['Mcp-Session-Id', sessionId] : [])];
  const bytes = rows.map((row) => Buffer.from(row, 'latin1'));
  const target = Buffer.from(path, 'latin1');
  const body = Buffer.from(text);
  return Array.from({ length: count }, () => ({
    method: 'POST',
    target: target.toString('latin1'),
    headers: bytes.map((row) => row.toString('latin1')),
    readBody: () => Promise.resolve(body),
    onDisconnect: () => undefined,
  }));
}
