import { type ErrorCode, GatewayError } from '@gatehouse/errors';

/** What undici and Node may throw where a request fails, as far as it is read here. */
interface SystemError extends Error {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly hostname?: unknown;
  readonly reason?: unknown;
  readonly localAddress?: unknown;
  readonly cause?: unknown;
}

/** The code of an error → our code, and words for the log. */
const known: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  UND_ERR_CONNECT_TIMEOUT: ['upstream_timeout', 'no connection in time'],
  ETIMEDOUT: ['upstream_timeout', 'no connection in time'],
  UND_ERR_HEADERS_TIMEOUT: ['upstream_timeout', 'no answer in time'],
  UND_ERR_BODY_TIMEOUT: ['upstream_timeout', 'the answer paused for too long'],
  ECONNREFUSED: ['upstream_unreachable', 'connection refused'],
  ENOTFOUND: ['upstream_unreachable', 'the name does not resolve'],
  EAI_AGAIN: ['upstream_unreachable', 'the name cannot be resolved at the moment'],
  EHOSTUNREACH: ['upstream_unreachable', 'no route to the host'],
  EHOSTDOWN: ['upstream_unreachable', 'the host is down'],
  ENETUNREACH: ['upstream_unreachable', 'no route to the network'],
  ENETDOWN: ['upstream_unreachable', 'the network is down'],
  EADDRNOTAVAIL: ['upstream_unreachable', 'no local address is free'],
  EACCES: ['upstream_unreachable', 'the network forbids it'],
  ECONNRESET: ['upstream_failed', 'connection reset'],
  ECONNABORTED: ['upstream_failed', 'connection aborted'],
  EPIPE: ['upstream_failed', 'connection closed while sending'],
  UND_ERR_SOCKET: ['upstream_failed', 'connection closed before the answer was complete'],
  UND_ERR_INFO: ['upstream_failed', 'connection closed before the answer was complete'],
  UND_ERR_HEADERS_OVERFLOW: ['upstream_failed', 'the headers of the answer are too large'],
  UND_ERR_RES_EXCEEDED_MAX_SIZE: ['upstream_failed', 'the answer is too large'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['upstream_failed', 'the answer does not have the length it announced'],
  UND_ERR_ABORTED: ['upstream_failed', 'the request was cancelled'],
  ABORT_ERR: ['upstream_failed', 'the request was cancelled'],
  UND_ERR_CLOSED: ['upstream_failed', 'the connections to this upstream are being closed'],
  UND_ERR_DESTROYED: ['upstream_failed', 'the connections to this upstream were closed'],
};

/** Certificate errors of OpenSSL as Node names them, in words an administrator can act on. */
const certificateProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate’s chain ends in a self-signed certificate that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate’s issuer is not known, or its chain is incomplete',
  UNABLE_TO_GET_ISSUER_CERT: 'the certificate’s issuer is not known',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate’s issuer is not known',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name',
  CERT_REVOKED: 'the certificate was revoked',
  CERT_UNTRUSTED: 'the certificate is not trusted',
  CERT_REJECTED: 'the certificate was rejected',
};

/**
 * Whatever undici or Node threw for a request, as a `GatewayError`: `upstream_unreachable`, `upstream_timeout`,
 * `upstream_failed`, `upstream_address_refused`, or `internal` for what is no fault of the upstream. `detail` is made of fixed
 * words, error codes and host names; it never quotes a URL, a header or a body.
 */
export function toUpstreamError(thrown: unknown): GatewayError {
  for (const error of causesOf(thrown)) {
    if (error instanceof GatewayError) return error;
    // undici's parser keeps the bytes it choked on in the error, which are the upstream's and no matter for a log.
    if (isParserError(error)) return new GatewayError('upstream_failed', { detail: `the answer is not HTTP (${codeOf(error) || error.name})` });
    const classified = classify(error);
    if (classified) return new GatewayError(classified[0], { detail: classified[1], cause: thrown });
  }
  return new GatewayError('internal', { cause: thrown });
}

/** Whether an error of `toUpstreamError` says that no connection came about: for whatever, and whomever, it was wanted. */
export function isConnectFailure({ code, cause }: GatewayError): boolean {
  return code === 'upstream_unreachable' || causesOf(cause).some(isConnectTimeout);
}

/** What a TLS error says about the connection, or nothing where the error is not about TLS. */
export function tlsProblem(thrown: unknown): string | undefined {
  for (const error of causesOf(thrown)) {
    const problem = tlsProblemOf(error);
    if (problem) return problem;
  }
  return undefined;
}

function classify(error: SystemError): readonly [ErrorCode, string] | undefined {
  if (error.name === 'TimeoutError') return ['upstream_timeout', 'the request took longer than it may'];
  const tls = tlsProblemOf(error);
  if (tls) return ['upstream_unreachable', tls];
  const code = codeOf(error);
  const entry = Object.hasOwn(known, code) ? known[code] : error.name === 'AbortError' ? known['ABORT_ERR'] : undefined;
  if (!entry) return undefined;
  const host = typeof error.hostname === 'string' ? `: ${error.hostname}` : '';
  return [entry[0], `${entry[1]}${host} (${code || error.name})`];
}

function tlsProblemOf(error: SystemError): string | undefined {
  const code = codeOf(error);
  if (Object.hasOwn(certificateProblems, code)) return `${certificateProblems[code]} (${code})`;
  // Node adds where it was connecting to when the other side hangs up during the handshake.
  if (code === 'ECONNRESET' && 'localAddress' in error) return 'the connection was closed during the TLS handshake';
  if (code === 'EPROTO' || /^(ERR_SSL|ERR_TLS|CERT_|CRL_|UNABLE_TO_)/.test(code)) {
    const reason = typeof error.reason === 'string' ? `, ${error.reason.slice(0, 100)}` : '';
    return `the TLS handshake failed (${code}${reason})`;
  }
  return undefined;
}

const codeOf = (error: SystemError): string => (typeof error.code === 'string' ? error.code : '');
const isConnectTimeout = (error: SystemError): boolean => codeOf(error) === 'UND_ERR_CONNECT_TIMEOUT' || (codeOf(error) === 'ETIMEDOUT' && error.syscall === 'connect');
const isParserError = (error: SystemError): boolean => error.name === 'HTTPParserError' || codeOf(error).startsWith('HPE_');

/** The error, its causes, and the parts of an AggregateError (one per address that was tried), outermost first. */
function causesOf(thrown: unknown, depth = 0): SystemError[] {
  if (!(thrown instanceof Error) || depth > 5) return [];
  const parts: unknown[] = thrown instanceof AggregateError ? thrown.errors : [];
  return [thrown, ...parts.flatMap((part) => causesOf(part, depth + 1)), ...causesOf(thrown.cause, depth + 1)];
}
