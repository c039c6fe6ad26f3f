import type { Secret } from '@gatehouse/sealing';
import { hideSecrets } from './hide-secrets.ts';
import { OAuthFailure, type OAuthFailureKind } from './oauth-failure.ts';
import { type Answer, type Fields, isFields } from './read-answer.ts';

/** What RFC 6749 section 5.2 has, and what some providers say instead of it. */
const kinds: Readonly<Record<OAuthFailureKind, ReadonlySet<string>>> = {
  refused: new Set([
    'invalid_grant', 'expired_token', 'interaction_required', 'login_required', 'consent_required',
    // GitHub
    'bad_refresh_token', 'bad_verification_code',
    // Slack
    'invalid_refresh_token', 'token_expired', 'token_revoked', 'account_inactive', 'invalid_code', 'code_already_used', 'invalid_auth',
    // HubSpot
    'BAD_REFRESH_TOKEN', 'BAD_AUTH_CODE',
  ]),
  misconfigured: new Set([
    'invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope', 'invalid_request', 'invalid_target', 'insufficient_scope',
    'incorrect_client_credentials', 'redirect_uri_mismatch', 'invalid_client_id', 'bad_client_secret', 'bad_redirect_uri',
  ]),
  unavailable: new Set([
    'temporarily_unavailable', 'server_error', 'slow_down', 'ratelimited', 'rate_limited', 'too_many_requests', 'internal_error', 'fatal_error',
    'service_unavailable', 'request_timeout', 'team_added_to_org',
  ]),
};

/** Atlassian and Zoom tell a dead refresh token by the errors for clients and requests; only their words say which it is. */
const refusalInWords = /(refresh.?token|authorization.?code|token) (is |was |has )?(invalid|expired|revoked|unknown)|invalid (refresh.?)?token/i;
const wordedErrors = new Set(['unauthorized_client', 'invalid_request']);

/** Answers that say "not now", whoever wrote them. */
const passing = new Set([403, 408, 423, 425, 429]);

/** What an answer without tokens means. `sent` is what its words must not repeat. */
export function failureOf({ status, fields = {} }: Answer, sent: readonly Secret[]): OAuthFailure {
  const error = errorOf(fields, sent);
  const words = wordsOf(fields);
  const kind = kindOf(status, error, words);
  const description = [`status ${status}`, error, words && scrubbed(words, sent)].filter((part) => part !== undefined && part !== '').join(': ');
  // A gateway that gave up waiting, or a server that failed on its way, may have done it; one that says it is busy has not.
  return new OAuthFailure(kind, description, { error, status, mayHaveActed: status < 300 || (status >= 500 && status !== 503 && status !== 501) });
}

function kindOf(status: number, error: string | undefined, words: string): OAuthFailureKind {
  if (status >= 500 || status === 429) return 'unavailable';
  if (error !== undefined) {
    if (wordedErrors.has(error) && refusalInWords.test(words)) return 'refused';
    const known = (Object.keys(kinds) as OAuthFailureKind[]).find((kind) => kinds[kind].has(error));
    return known ?? (status < 400 || passing.has(status) ? 'unavailable' : 'misconfigured');
  }
  if (status < 300 || passing.has(status)) return 'unavailable';
  // An address that is not a token endpoint, or a client that is not known there.
  return status < 400 || status === 401 || status === 404 || status === 405 || status === 410 ? 'misconfigured' : 'unavailable';
}

/** As text, within an object (Facebook), or by HubSpot's name. Anything that does not look like a code is not repeated, and no secret that does. */
function errorOf(fields: Fields, sent: readonly Secret[]): string | undefined {
  const { error, status, ok } = fields;
  const code = isFields(error) ? (error['code'] ?? error['type']) : (error ?? (ok === false ? 'error' : status));
  const isCode = typeof code === 'string' && /^[A-Za-z_.-]{1,64}$/.test(code) && hideSecrets(code, sent) === code;
  return isCode ? code : isFields(error) ? 'error' : undefined;
}

function wordsOf(fields: Fields): string {
  const { error, error_description: description, message, reason } = fields;
  const nested = isFields(error) ? error['message'] : undefined;
  return [description, message, reason, nested].filter((text) => typeof text === 'string').join(' ');
}

/** A provider's words for the log, without anything that was sent or that could be a token. */
function scrubbed(words: string, sent: readonly Secret[]): string {
  return hideSecrets(words.slice(0, 2_000), sent)
    .replace(/[\w\-.~+/=%]{20,}/g, '[…]')
    .replace(/[^\x20-\x7e…]+/g, ' ')
    .slice(0, 200)
    .trim();
}
