import type { PlainSnapshotDocument } from '@gatehouse/gateway-config';
import type { BenchSecrets } from './bench-secrets.ts';
import { serverDocument } from './publish-configuration.ts';
import { sampleCall } from './sample-call.ts';

type PlainServer = Extract<PlainSnapshotDocument, { kind: 'server' }>['server'];
type Operation = Extract<PlainServer, { type: 'api' }>['tools']['operations'][number];

const properties = {
  customer: { type: 'string', pattern: '^c-[0-9]+$' },
  status: { type: 'array', items: { enum: ['open', 'in_transit', 'delivered'] } },
  placedAfter: { type: 'string', format: 'date-time' },
  text: { type: 'string', maxLength: 2_000, description: 'Words that are looked for in everything that was written about an order' },
  sort: { type: 'object', properties: { by: { type: 'string' }, order: { enum: ['ascending', 'descending'] } }, additionalProperties: false },
  page: { type: 'object', properties: { size: { type: 'integer', minimum: 1, maximum: 100 }, cursor: { type: 'string' } }, additionalProperties: false },
};

const searchOrders: Operation = {
  name: (JSON.parse(sampleCall.body) as { params: { name: string } }).params.name,
  description: 'Searches orders by customer, state, time and words, and answers with a page of them',
  method: 'POST',
  path: '/customers/{customer}/orders/search',
  parameters: [{ argument: 'customer', name: 'customer', in: 'path', required: true, style: 'simple', explode: false }],
  body: { mediaType: 'application/json', kind: 'json', required: true, fields: Object.keys(properties).slice(1).map((name) => ({ argument: name, name })) },
  accept: 'application/json',
  inputSchema: { type: 'object', properties, required: ['customer'], additionalProperties: false },
  outputSchema: { type: 'object', properties: { orders: { type: 'array', items: { type: 'string' } }, total: { type: 'integer' } } },
  annotations: { readOnlyHint: true, openWorldHint: true },
};

/** The same call as a tool of a REST API, among a thousand tools. */
export function apiDocument(name: string, upstreamUrl: string, secrets: BenchSecrets): PlainSnapshotDocument {
  const { kind, server, ...document } = serverDocument(name, upstreamUrl, secrets) as Extract<PlainSnapshotDocument, { kind: 'server' }>;
  const { title = name, agentAuth } = server;
  const operations = [searchOrders, ...Array.from({ length: 999 }, (_, index) => ({ ...searchOrders, name: `search_orders_${index}` }))];
  return { kind, ...document, server: { name, title, type: 'api', agentAuth, upstream: { url: upstreamUrl }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: secrets.upstreamKey }, tools: { operations } } };
}

/** What that API answers. */
export const apiAnswer = Buffer.from(JSON.stringify((JSON.parse(sampleCall.answer) as { result: { structuredContent: object } }).result.structuredContent));
