import { type ErrorCode, GatewayError } from '@gatehouse/errors';

/** What Fastify and Nest refuse by themselves, by their status. */
const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_request', 404: 'not_found', 405: 'method_not_allowed', 413: 'body_too_large', 414: 'headers_too_large',
  415: 'unsupported_media_type', 431: 'headers_too_large',
};

interface HttpError {
  readonly statusCode?: unknown;
  readonly code?: unknown;
  getStatus?(): number;
}

/** Anything thrown on the way of a request, as an error we answer with. */
export function understoodError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as HttpError;
  const status = typeof error.getStatus === 'function' ? error.getStatus() : error.statusCode;
  const code = typeof status === 'number' ? codeByStatus[status] : undefined;
  return new GatewayError(code ?? 'internal', { cause: thrown });
}
