import { CircuitOpenError, RedirectError } from '@gatehouse/egress';
import type { GatewayError } from '@gatehouse/errors';
import { rpcError, rpcErrorCodes, type RpcId } from '@gatehouse/mcp-protocol';
import { ToolRefusal } from './check-tools.ts';
import type { Route } from './match-server.ts';
import { MessageError } from './message-error.ts';
import type { Reply } from './request.ts';

/**
 * The one place where an error becomes an answer: a JSON-RPC error, as MCP clients read it, that names code and server.
 * @param challenge for `WWW-Authenticate`
 */
export function renderError(error: GatewayError, route: Route | undefined, requestId: RpcId, challenge?: string): Reply {
  if (error instanceof ToolRefusal) return answerOf(error, route);
  const message = error instanceof MessageError || error instanceof RedirectError ? error.publicDetail : error.publicMessage;
  const server = route && { server: `${route.workspace}/${route.name}` };
  const body = rpcError({
    id: error instanceof MessageError ? error.rpcId : requestId,
    code: error instanceof MessageError ? error.rpcCode : rpcErrorCodes.gatewayError,
    message,
    data: { code: error.code, ...server, ...(error instanceof RedirectError && error.redirectOrigin !== undefined && { redirectOrigin: error.redirectOrigin }) },
  });
  const headers = ['content-type', 'application/json', 'cache-control', 'no-store', 'content-length', String(Buffer.byteLength(body))];
  if (challenge !== undefined) headers.push('www-authenticate', challenge);
  if (error.code === 'method_not_allowed') headers.push('allow', route?.endpoint === 'sse' ? 'GET' : route?.endpoint === 'mcp' ? 'GET, POST, DELETE' : 'POST');
  if (error.code === 'not_ready' || error.code === 'caller_keys_unavailable' || error.code === 'upstream_busy' || error.code === 'too_many_sessions') headers.push('retry-after', '1');
  if (error instanceof CircuitOpenError) headers.push('retry-after', String(Math.ceil(error.retryAfterMs / 1_000)));
  // The rest of an oversized body is not read: the connection cannot be used again.
  if (error.code === 'body_too_large' || error.code === 'headers_too_large') headers.push('connection', 'close');
  return { status: error.status, headers, body };
}

/** Over legacy HTTP+SSE an answer belongs on the stream, which another data plane may hold: there it is an error of the POST. */
function answerOf({ answer, status }: ToolRefusal, route: Route | undefined): Reply {
  const headers = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(answer))];
  return { status: route?.endpoint === 'sse-messages' ? 400 : status, headers, body: answer };
}
