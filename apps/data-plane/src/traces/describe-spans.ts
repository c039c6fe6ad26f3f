import type { Span } from '@gatehouse/service-runtime';
import type { CallerHeaders, PreparedServer, PreparedUpstream } from '@gatehouse/upstream-request';
import { bounded } from '../call-line.ts';
import type { CallRecord } from '../pipeline/call-record.ts';
import type { Endpoint } from '../pipeline/match-server.ts';
import type { Call } from '../pipeline/read-call.ts';

/*
 * What spans say, by OpenTelemetry's conventions for MCP and for HTTP. Names come from the configuration, or are the method and the
 * tool that the log line has too. Never a header, a query, an argument, a path below a server, the URI of a resource, a session's id
 * or who calls: what of this is anybody's business stands in the log, under the id of the trace.
 */

const routes: Readonly<Record<Endpoint, string>> = {
  mcp: '/mcp/{workspace}/{server}',
  sse: '/sse/{workspace}/{server}',
  'sse-messages': '/sse/{workspace}/{server}/messages',
  api: '/api/{workspace}/{server}/{path}',
};

/** OpenTelemetry, HTTP conventions: whatever else there may be is one. */
const httpMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']);
const httpMethod = (method: string): string => (httpMethods.has(method) ? method : '_OTHER');
const httpName = (method: string): string => (httpMethods.has(method) ? method : 'HTTP');

/** Of what a caller asked. @param http the method of the request */
export function describeAnswered(span: Span, { route, server, answeredBy, caller, call, error, upstreamStatus }: CallRecord, http: string): void {
  const message = call?.message;
  span.name = message?.method === undefined ? `${httpName(http)} ${route === undefined ? '' : routes[route.endpoint]}`.trim() : nameOfMessage(message);
  if (message?.method === undefined) {
    span.set('http.request.method', httpMethod(http));
    if (route !== undefined) span.set('http.route', routes[route.endpoint]);
    // An answer to plain HTTP has the status of the API's; of others it depends on who asks.
    span.set('http.response.status_code', error?.status ?? (route?.endpoint === 'api' ? upstreamStatus : undefined));
  } else {
    describeMessage(span, message);
  }
  describeNetwork(span);
  span.set('gatehouse.workspace', server?.workspace);
  span.set('gatehouse.server', server?.name);
  if (answeredBy !== server) span.set('gatehouse.member', answeredBy?.name);
  span.set('gatehouse.caller.kind', caller?.kind);
  span.set('gatehouse.outcome', error?.code ?? 'ok');
  if (error !== undefined) span.fail(error.code);
}

type Message = NonNullable<Call['message']>;

export function nameOfAttempt({ message, method, ownHeaders }: Call): string {
  // An API is asked in plain HTTP, whatever the caller's own message was.
  return message?.method === undefined || ownHeaders !== undefined ? httpName(method) : nameOfMessage(message);
}

/** Of what an upstream is asked. */
export function describeAttempt(span: Span, server: PreparedServer, { message, method, ownHeaders }: Call, { protocolVersion }: CallerHeaders): void {
  if (message?.method === undefined || ownHeaders !== undefined) {
    span.set('http.request.method', httpMethod(method));
    if (message !== undefined) span.set('gen_ai.tool.name', toolOf(message));
  } else {
    describeMessage(span, message);
    span.set('mcp.protocol.version', protocolVersion === undefined ? undefined : bounded(protocolVersion));
  }
  describeNetwork(span);
  const { address, port } = addressOf(server.upstream);
  span.set('server.address', address);
  span.set('server.port', port);
  span.set('gatehouse.workspace', server.workspace);
  span.set('gatehouse.server', server.name);
}

function nameOfMessage(message: Message): string {
  const target = toolOf(message) ?? promptOf(message);
  return target === undefined ? bounded(message.method ?? '') : `${message.method} ${target}`;
}

function describeMessage(span: Span, message: Message): void {
  const { method, id } = message;
  span.set('mcp.method.name', method === undefined ? undefined : bounded(method));
  const tool = toolOf(message);
  if (tool !== undefined) span.set('gen_ai.operation.name', 'execute_tool');
  span.set('gen_ai.tool.name', tool);
  span.set('gen_ai.prompt.name', promptOf(message));
  span.set('jsonrpc.request.id', id === null ? undefined : bounded(String(id)));
}

const toolOf = ({ method, name }: Message): string | undefined => (method === 'tools/call' && name !== undefined ? bounded(name) : undefined);
const promptOf = ({ method, name }: Message): string | undefined => (method === 'prompts/get' && name !== undefined ? bounded(name) : undefined);

function describeNetwork(span: Span): void {
  span.set('network.transport', 'tcp');
  span.set('network.protocol.name', 'http');
}

interface Address {
  readonly address: string;
  readonly port: number;
}

/** Read once for each revision of a server: to take a URL apart costs more than the span. */
const addresses = new WeakMap<PreparedUpstream, Address>();

function addressOf(upstream: PreparedUpstream): Address {
  const known = addresses.get(upstream);
  if (known !== undefined) return known;
  const { hostname, port, protocol } = new URL(upstream.origin);
  const address = { address: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
  addresses.set(upstream, address);
  return address;
}

/** A code, of which there are few: messages may say anything. */
export const errorType = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '_OTHER');
