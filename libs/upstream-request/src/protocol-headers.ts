import type { CallerHeaders } from './caller-headers.ts';

/** What the protocol layer knows of a call, as far as its headers go. */
export interface CallFacts {
  readonly method: string;
  readonly era: 'legacy' | 'modern';
  /** `undefined` where there is none. */
  readonly body: unknown;
  /** The upstream's own session id; of a legacy session only. */
  readonly upstreamSession: string | undefined;
}

// W3C Trace Context sections 3.2 and 3.3; what does not fit is not passed on.
const traceparentShape = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;
/** W3C Baggage section 3.3.2: what may be dropped beyond. */
const maxBaggageBytes = 8_192;

/** The headers that every request has from the gateway itself: flat, names in lower case. Nothing here is the policy's. */
export function protocolHeaders(call: CallFacts, headers: CallerHeaders, userAgent: string): string[] {
  const outgoing = ['user-agent', userAgent];
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
  addTraceContext(outgoing, headers);
  return outgoing;
}

/** Unchanged: the gateway makes no span of its own here (P3). */
function addTraceContext(outgoing: string[], { traceparent, tracestate, baggage }: CallerHeaders): void {
  if (traceparent !== undefined && traceparentShape.test(traceparent)) {
    outgoing.push('traceparent', traceparent);
    if (tracestate !== undefined) outgoing.push('tracestate', tracestate);
  }
  if (baggage !== undefined && baggage.length <= maxBaggageBytes) outgoing.push('baggage', baggage);
}
