import { type Credential, insertCredentials } from '@gatehouse/app-auth';
import { version } from '@gatehouse/service-runtime';
import type { PreparedServer } from '../snapshot/prepared-server.ts';
import type { CallerHeaders } from './clean-headers.ts';
import type { UpstreamRequest } from './request.ts';
import type { Call } from './read-call.ts';

export interface UpstreamTimeouts {
  readonly responseMs: number;
  readonly streamIdleMs: number;
}

const userAgent = `gatehouse/${version}`;
// W3C Trace Context sections 3.2 and 3.3; what does not fit is not passed on.
const traceparentShape = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/**
 * The request that leaves. Headers are named here one by one: nothing of the caller's passes that is not. Credentials are
 * added last, over whatever has their name, so that no caller can name or replace them.
 */
export function buildUpstreamRequest(
  server: PreparedServer,
  call: Call,
  headers: CallerHeaders,
  credentials: readonly Credential[],
  timeouts: UpstreamTimeouts,
  path = server.upstream.path,
): UpstreamRequest {
  const outgoing = protocolHeaders(call, headers);
  const target = insertCredentials(path, outgoing, credentials);
  const { upstream } = server;
  return {
    method: call.method,
    path: target,
    headers: outgoing,
    body: call.body,
    responseTimeoutMs: upstream.responseTimeoutMs ?? timeouts.responseMs,
    // A stream that only listens may be silent for hours; it ends with either side (agentgateway #248).
    idleTimeoutMs: call.method === 'GET' ? 0 : (upstream.streamIdleTimeoutMs ?? timeouts.streamIdleMs),
  };
}

function protocolHeaders(call: Call, headers: CallerHeaders): string[] {
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
  if (headers.traceparent !== undefined && traceparentShape.test(headers.traceparent)) {
    outgoing.push('traceparent', headers.traceparent);
    if (headers.tracestate !== undefined) outgoing.push('tracestate', headers.tracestate);
  }
  return outgoing;
}
