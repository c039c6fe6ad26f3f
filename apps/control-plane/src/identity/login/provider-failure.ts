import { type ErrorCode, GatewayError } from '@gatehouse/errors';
import { AuthorizationResponseError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client';

/** What went wrong between us and a provider, as an error to answer with. Its cause is not kept: it may hold codes and tokens. */
export function providerFailure(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError && thrown.code !== 'internal' && !thrown.code.startsWith('upstream_')) return thrown;
  const chain = chainOf(thrown);
  return new GatewayError(codeOf(chain), { detail: chain.map(({ message }) => message).join(': ') });
}

/** RFC 6750 section 3.1. */
export function isRefusedToken(thrown: unknown): boolean {
  if (thrown instanceof WWWAuthenticateChallengeError) return true;
  return thrown instanceof Error && thrown.cause instanceof Response && (thrown.cause.status === 401 || thrown.cause.status === 403);
}

/** RFC 6750 section 3.1: expired, revoked, or of somebody who is not there any more; not one that is for something else. */
export function isUnknownToken(thrown: unknown): boolean {
  if (thrown instanceof WWWAuthenticateChallengeError) return thrown.status === 401;
  return thrown instanceof Error && thrown.cause instanceof Response && thrown.cause.status === 401;
}

const unavailable = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT']);
/** RFC 6749 section 5.2: we are not the client that the provider knows. */
const misconfigured = new Set(['invalid_client', 'unauthorized_client']);

function codeOf(chain: readonly Error[]): ErrorCode {
  const [first] = chain;
  if (first instanceof AuthorizationResponseError) return first.error === 'temporarily_unavailable' || first.error === 'server_error' ? 'provider_unavailable' : 'login_refused';
  if (first instanceof ResponseBodyError) return misconfigured.has(first.error) ? 'provider_misconfigured' : 'login_invalid';
  const isUnavailable = chain.some((error) => error instanceof GatewayError || unavailable.has(String((error as { code?: unknown }).code)));
  if (isUnavailable || hasFailed(first?.cause)) return 'provider_unavailable';
  return 'login_invalid';
}

const hasFailed = (cause: unknown): boolean => cause instanceof Response && cause.status >= 500;

function chainOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && chain.length < 5; error = error.cause) chain.push(error);
  return chain;
}
