import { GatewayError } from '@gatehouse/errors';
import { isErrorCode, OAuthFailure } from '@gatehouse/oauth-client';

/** What an administrator looks at first. */
const hints: Readonly<Record<string, string>> = {
  invalid_client: 'check clientId, its secret or key, and clientAuth',
  unauthorized_client: 'the provider does not let this client use this grant',
  unsupported_grant_type: 'the provider does not know this grant: check grant and tokenUrl',
  invalid_target: 'check audience and resource',
  invalid_scope: 'check scopes',
  invalid_grant: 'the provider does not take the caller’s token: check subject, and that the token is meant for this client',
  invalid_request: 'the provider does not take the caller’s token, or wants other fields: check subject, subjectTokenType and requestedTokenType',
  use_dpop_nonce: 'the provider wants a proof of a key: dpop: true, which appAuth has',
  invalid_dpop_proof: 'the provider wants a proof of a key: dpop: true, which appAuth has; or it takes our clock for wrong',
  interaction_required: 'the person, or an administrator for everyone, has to agree to it at the provider first',
  consent_required: 'the person, or an administrator for everyone, has to agree to it at the provider first',
};

/**
 * Why there is no token. Callers, who may be models that do as they read, are told what to check and the error's code; the provider's own
 * words are for the log (docs/decisions/0008). A provider that is away is another matter than one that refuses.
 */
export function exchangeErrorOf(thrown: unknown): unknown {
  if (!(thrown instanceof OAuthFailure)) return thrown;
  const { kind, message: detail, error, status } = thrown;
  if (kind === 'unavailable') return new GatewayError('provider_unavailable', { detail, cause: thrown });
  const said = [status === undefined ? 'there is no answer that could be taken' : `status ${status}`, ...(isErrorCode(error) ? [error] : [])].join(': ');
  return exchangeRefused(said, hints[error ?? ''] ?? 'check tokenUrl, grant, the client, and dpop', { detail, cause: thrown });
}

/**
 * @param said what happened, in words of ours: they are sent
 * @param detail for the log, in place of them
 */
export function exchangeRefused(said: string, hint: string, { detail = said, cause }: { readonly detail?: string; readonly cause?: unknown } = {}): GatewayError {
  const publicMessage = `The caller’s token could not be exchanged for one that this server’s upstream takes: ${said} (${hint}).`;
  return new GatewayError('token_exchange_refused', { detail: `${detail} (${hint})`, cause, publicMessage });
}
