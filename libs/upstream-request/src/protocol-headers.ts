import type { HeaderRules } from '@gatehouse/header-policy';
import type { CallerHeaders } from './caller-headers.ts';
import { addTraceContext } from './trace-context.ts';

/** What the protocol layer knows of a call, as far as its headers go. */
export interface CallFacts {
  readonly method: string;
  readonly era: 'legacy' | 'modern';
  /** `undefined` where there is none. */
  readonly body: unknown;
  /** The upstream's own session id; of a legacy session only. */
  readonly upstreamSession: string | undefined;
  /** Of a request that is not MCP: what it says of itself, flat; MCP's headers are not for its upstream. */
  readonly ownHeaders?: readonly string[] | undefined;
}

/** The headers that every request has from the gateway itself: flat, names in lower case. What of trace context
 * goes on depends on the policy, as callers put their own words into it. */
export function protocolHeaders(call: CallFacts, headers: CallerHeaders, rules: HeaderRules, userAgent: string): string[] {
  const outgoing = ['user-agent', userAgent];
  if (call.ownHeaders === undefined) addMcpHeaders(outgoing, call, headers);
  addTraceContext(outgoing, headers, rules);
  return outgoing;
}

function addMcpHeaders(outgoing: string[], call: CallFacts, headers: CallerHeaders): void {
  if (headers.accept !== undefined) outgoing.push('accept', headers.accept);
  if (call.body !== undefined) outgoing.push('content-type', 'application/json');
  if (headers.protocolVersion !== undefined) outgoing.push('mcp-protocol-version', headers.protocolVersion);
  if (call.era === 'legacy') {
    if (call.upstreamSession !== undefined) outgoing.push('mcp-session-id', call.upstreamSession);
    if (call.method === 'GET' && headers.lastEventId !== undefined) outgoing.push('last-event-id', headers.lastEventId);
  } else {
    if (headers.mcpMethod !== undefined) outgoing.push('mcp-method', headers.mcpMethod);
    if (headers.mcpName !== undefined) outgoing.push('mcp-name', headers.mcpName);
    if (headers.mcpParams !== undefined) outgoing.push(...headers.mcpParams);
  }
}
