import { GatewayError } from '@gatehouse/errors';
import { OAuthFailure } from '@gatehouse/oauth-client';

/** What an administrator looks at first. */
const hints: Readonly<Record<string, string>> = {
  invalid_client: 'check clientId, its secret or key, and clientAuth',
  unauthorized_client: 'the provider does not let this client use this grant',
  unsupported_grant_type: 'the provider does not know this grant: check grant and tokenUrl',
  invalid_target: 'check audience and resource',
  invalid_scope: 'check scopes',
  invalid_grant: 'the provider does not take the caller’s token: check subject, and that the token is meant for this client',
  invalid_request: 'check subjectTokenType, requestedTokenType and the fields that this provider wants',
  use_dpop_nonce: 'the provider wants a proof of a key: dpop: true, which appAuth has',
  invalid_dpop_proof: 'the provider wants a proof of a key: dpop: true, which appAuth has; or it takes our clock for wrong',
  interaction_required: 'the person, or an administrator for everyone, has to agree to it at the provider first',
  consent_required: 'the person, or an administrator for everyone, has to agree to it at the provider first',
};

/**
 * Why there is no token, as callers are told: the provider's own words, without anything that could be a token, and what to check.
 * A provider that is away is another matter than one that refuses.
 */
export function exchangeErrorOf(thrown: unknown): unknown {
  if (!(thrown instanceof OAuthFailure)) return thrown;
  const { kind, message: detail, error } = thrown;
  if (kind === 'unavailable') return new GatewayError('provider_unavailable', { detail, cause: thrown });
  return exchangeRefused(detail, hints[error ?? ''] ?? 'check tokenUrl, grant, the client, and dpop', thrown);
}

/** @param words what happened, without values that may be secret: they are sent */
export function exchangeRefused(words: string, hint: string, cause?: unknown): GatewayError {
  const detail = `${words} (${hint})`;
  return new GatewayError('token_exchange_refused', { detail, cause, publicMessage: `The caller’s token could not be exchanged for one that this server’s upstream takes: ${detail}.` });
}
