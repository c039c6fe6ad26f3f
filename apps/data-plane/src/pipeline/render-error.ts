import { RedirectError } from '@gatehouse/egress';
import type { GatewayError } from '@gatehouse/errors';
import { rpcError, rpcErrorCodes, type RpcId } from '@gatehouse/mcp-protocol';
import { ToolRefusal } from './check-tools.ts';
import type { Route } from './match-server.ts';
import { MessageError } from './message-error.ts';
import { MethodError } from './method-error.ts';
import { limitOf, problemOf, retryAfterOf } from './render-problem.ts';
import type { Reply } from './request.ts';

/**
 * The one place where an error becomes an answer that names code and server: a JSON-RPC error, as MCP clients read it; in plain HTTP a problem (RFC 9457).
 * @param challenge for `WWW-Authenticate`
 */
export function renderError(error: GatewayError, route: Route | undefined, requestId: RpcId, challenge?: string): Reply {
  if (error instanceof ToolRefusal) return answerOf(error, route);
  const server = route && `${route.workspace}/${route.name}`;
  if (route?.endpoint === 'api') {
    const { status, body } = problemOf(error, server);
    return { status, headers: errorHeaders(error, route, 'application/problem+json', body, challenge), body };
  }
  const body = rpcError({
    id: error instanceof MessageError ? error.rpcId : requestId,
    code: error instanceof MessageError ? error.rpcCode : rpcErrorCodes.gatewayError,
    message: error instanceof MessageError || error instanceof RedirectError ? error.publicDetail : error.publicMessage,
    data: { code: error.code, ...(server !== undefined && { server }), ...(error instanceof RedirectError && error.redirectOrigin !== undefined && { redirectOrigin: error.redirectOrigin }), ...limitOf(error) },
  });
  return { status: error.status, headers: errorHeaders(error, route, 'application/json', body, challenge), body };
}

function errorHeaders(error: GatewayError, route: Route | undefined, type: string, body: string, challenge: string | undefined): string[] {
  const headers = ['content-type', type, 'cache-control', 'no-store', 'content-length', String(Buffer.byteLength(body))];
  if (challenge !== undefined) headers.push('www-authenticate', challenge);
  if (error.code === 'method_not_allowed') headers.push('allow', error instanceof MethodError ? error.allow : allowedMethods(route));
  const retryAfter = retryAfterOf(error);
  if (retryAfter !== undefined) headers.push('retry-after', retryAfter);
  // What comes next on the connection is the rest of a body that is not read, or what another protocol would have there.
  if (error.code === 'body_too_large' || error.code === 'headers_too_large' || error.code === 'upgrade_not_supported') headers.push('connection', 'close');
  return headers;
}

function allowedMethods(route: Route | undefined): string {
  switch (route?.endpoint) {
    case 'sse':
      return 'GET';
    case 'mcp':
      return 'GET, POST, DELETE';
    case 'api':
      return 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
    default:
      return 'POST';
  }
}

/** Over legacy HTTP+SSE an answer belongs on the stream, which another data plane may hold: there it is an error of the POST. */
function answerOf({ answer, status }: ToolRefusal, route: Route | undefined): Reply {
  const headers = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(answer))];
  return { status: route?.endpoint === 'sse-messages' ? 400 : status, headers, body: answer };
}
