/** The call that is measured: about 400 bytes there, about 300 back, as MCP clients and servers write them. */
export const sampleCall = {
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1042,
    method: 'tools/call',
    params: {
      name: 'search_orders',
      arguments: {
        customer: 'c-204817',
        status: ['open', 'in_transit'],
        placedAfter: '2026-08-01T00:00:00Z',
        text: 'blue enamel kettle, two litres, with the replacement lid that was sent on its own',
        sort: { by: 'placedAt', order: 'descending' },
        page: { size: 20, cursor: 'eyJhZnRlciI6IjIwMjYtMDgtMTQifQ' },
      },
      _meta: { progressToken: 'search-7f3b' },
    },
  }),
  headers: {
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    'User-Agent': 'example-agent/2.4 (mcp-client)',
    'MCP-Protocol-Version': '2025-11-25',
  },
  answer: JSON.stringify({
    jsonrpc: '2.0',
    id: 1042,
    result: {
      content: [{ type: 'text', text: '2 orders: o-88213 (open, placed 14 August, 1 item) and o-88340 (in transit, placed 19 August, 3 items, arrives tomorrow)' }],
      structuredContent: { orders: ['o-88213', 'o-88340'], total: 2, nextCursor: 'eyJhZnRlciI6IjIwMjYtMDgtMTkifQ' },
      isError: false,
    },
  }),
} as const;

export const samplePath = '/mcp/default/orders';
export const interactivePath = '/mcp/default/orders-interactive';
export const connectedPath = '/mcp/default/orders-connected';
/** Callers there come with a token of their issuer's: a stored bearer goes upstream, or what their token was exchanged for. */
export const bearerPath = '/mcp/default/orders-bearer';
export const exchangePath = '/mcp/default/orders-exchange';
/** The same call as a tool of a REST API. */
export const apiPath = '/mcp/default/orders-api';
export const signedPath = '/mcp/default/orders-signed';
export const passThroughPath = '/mcp/default/orders-pass-through';
/** Headers of the caller's own that pass there. */
export const passThroughHeaders = { 'X-Tenant': 'acme', 'X-Request-Id': '7f3b9c52-1d5e-4f9a-9b1f-0f5f0f6f2f7c', 'Accept-Language': 'en' } as const;
