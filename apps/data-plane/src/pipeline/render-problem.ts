import { CircuitOpenError, RedirectError } from '@gatehouse/egress';
import type { GatewayError } from '@gatehouse/errors';
import { LimitError } from '../limits/limit-error.ts';

/** An error for plain HTTP (RFC 9457); `code` is what programs read. */
export function problemOf(error: GatewayError, server: string | undefined): { readonly status: number; readonly body: string } {
  // Of a tool it is an answer like any other, and here it is a refusal.
  const status = error.code === 'tool_not_allowed' ? 403 : error.status;
  const redirectOrigin = error instanceof RedirectError ? error.redirectOrigin : undefined;
  const body = JSON.stringify({
    type: problemType(error),
    title: error instanceof RedirectError ? error.publicDetail : error.publicMessage,
    status,
    code: error.code,
    ...(server !== undefined && { server }),
    ...(redirectOrigin !== undefined && { redirectOrigin }),
    ...limitOf(error),
  });
  return { status, body };
}

/** Which limit it was: clients read no headers of an answer in JSON-RPC. */
export const limitOf = (error: GatewayError): object => (error instanceof LimitError ? { limit: error.limit, retryAfterSeconds: error.retryAfterSeconds } : {});

/** As the control plane has it. */
export const problemType = ({ code }: GatewayError): string => `urn:gatehouse:problem:${code}`;

/** When it makes sense to come again, in seconds. */
export function retryAfterOf(error: GatewayError): string | undefined {
  if (error instanceof CircuitOpenError) return String(Math.ceil(error.retryAfterMs / 1_000));
  if (error instanceof LimitError) return error.retryAfterSeconds?.toString();
  switch (error.code) {
    case 'not_ready':
    case 'caller_keys_unavailable':
    case 'upstream_busy':
    case 'too_many_sessions':
    case 'request_not_repeated':
      return '1';
    default:
      return undefined;
  }
}
