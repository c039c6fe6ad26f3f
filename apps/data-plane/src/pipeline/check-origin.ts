import { GatewayError } from '@gatehouse/errors';
import { builtInRule, canonicalName } from '@gatehouse/header-policy';
import { type CallerHeaders, isDirectHeader } from '@gatehouse/upstream-request';
import type { Route } from './match-server.ts';

export interface OriginRules {
  readonly allowedOrigins: ReadonlySet<string>;
  /** Host names without port; `undefined` = any. */
  readonly allowedHosts: ReadonlySet<string> | undefined;
}

/**
 * A browser says which page a request comes from; only pages that may are let in. This is what keeps a web page from using a
 * gateway on someone's own machine, also by DNS rebinding (MCP 2025-11-25, transports: a bad Origin is 403).
 * @throws GatewayError origin_not_allowed, host_not_allowed
 */
export function checkOrigin(headers: CallerHeaders, rules: OriginRules): void {
  checkHost(headers, rules);
  const { origin, host } = headers;
  const { allowedHosts, allowedOrigins } = rules;
  if (origin === undefined || allowedOrigins.has(origin)) return;
  // A page of the very host that was asked; to be believed only where that host is one of a known few.
  if (allowedHosts !== undefined && (origin === `http://${host}` || origin === `https://${host}`)) return;
  throw new GatewayError('origin_not_allowed');
}

/** @throws GatewayError host_not_allowed */
export function checkHost({ host }: CallerHeaders, { allowedHosts }: OriginRules): void {
  if (allowedHosts !== undefined && !allowedHosts.has(hostName(host))) throw new GatewayError('host_not_allowed');
}

/** The answer to a preflight, and to any request from an allowed origin. */
export function corsHeaders(origin: string | undefined): string[] {
  if (origin === undefined) return [];
  return ['Access-Control-Allow-Origin', origin, 'Vary', 'Origin', 'Access-Control-Expose-Headers', 'Mcp-Session-Id, WWW-Authenticate'];
}

const protocolHeaders = 'Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name, X-Gatehouse-Key, X-Upstream-Authorization, Traceparent, Tracestate, Baggage';
const protocolNames = new Set(protocolHeaders.toLowerCase().split(', '));
const mcpParam = /^mcp-param-./;
const token = /^[\w!#$%&'*+.^`|~-]{1,256}$/;

/**
 * What a page may send, once its origin may call: what the protocol has, and of what it asks for `Mcp-Param-*` (MCP 2026-07-28)
 * and every header that some policy may let pass. Which do is the policy's, with the call.
 */
export function preflightHeaders({ requestedHeaders }: CallerHeaders, { endpoint }: Pick<Route, 'endpoint'>): string[] {
  const isApi = endpoint === 'api';
  const requested = requestedHeaders?.toLowerCase().split(',', 100).map((name) => name.trim()).filter((name) => token.test(name) && !protocolNames.has(name) && (mayBeSent(name) || (isApi && isDirectHeader(name)))) ?? [];
  return [
    'Access-Control-Allow-Methods', isApi ? '*' : 'GET, POST, DELETE',
    'Access-Control-Allow-Headers', [protocolHeaders, ...new Set(requested)].join(', '),
    'Access-Control-Max-Age', '600',
  ];
}

const mayBeSent = (name: string): boolean => mcpParam.test(name) || builtInRule(canonicalName(name)) === undefined;

function hostName(host: string | undefined): string {
  return (host ?? '').toLowerCase().replace(/:\d+$/, '');
}
