import { GatewayError } from '@gatehouse/errors';
import type { Warning } from '@gatehouse/gateway-config';
import type { Discovery } from './discover-provider.ts';

const warning = (code: string, pointer: string, detail: string): Warning => ({ code, pointer, detail });

/**
 * What discovery says of a document that is to be saved.
 * @throws GatewayError validation_failed where the answer contradicts the document, unless nobody can log in with it anyway
 */
export function discoveryWarnings(discovery: Discovery, { issuer, isEnabled }: { issuer: string; isEnabled: boolean }): Warning[] {
  if ('problems' in discovery) {
    if (isEnabled) throw new GatewayError('validation_failed', { problems: discovery.problems });
    return discovery.problems.map(({ pointer, detail, code }) => warning(code ?? 'invalid_value', pointer, `The issuer ${detail}.`));
  }
  if ('unreachable' in discovery) return unreachableWarnings(discovery.unreachable, issuer);
  if (discovery.metadata.code_challenge_methods_supported !== undefined) return [];
  return [warning('pkce_not_announced', '/issuer', 'The provider does not say whether it supports PKCE with S256, which logins use. Microsoft Entra supports it without saying so.')];
}

function unreachableWarnings(reason: 'address_refused' | 'no_answer', issuer: string): Warning[] {
  if (reason === 'no_answer') return [warning('provider_unreachable', '/issuer', 'The provider could not be reached: nobody can log in there until it can.')];
  if (issuer.startsWith('https:')) return [warning('provider_unreachable', '/issuer', 'The provider could not be reached: this deployment does not allow connections to its address.')];
  throw new GatewayError('validation_failed', {
    problems: [{ pointer: '/issuer', detail: 'must begin with https://; plain http is for addresses that GATEHOUSE_EGRESS_ALLOWED_RANGES names', code: 'https_required' }],
  });
}

interface Document {
  readonly name: string;
  readonly issuer: unknown;
}

/** What this one change did that may not have been meant. */
export function changeWarnings(before: Document, after: Document, isSecretKept: boolean): Warning[] {
  const renamed = before.name !== after.name && warning('redirect_uri_changed', '/name', 'The redirect URI has the name in it: register the new one at the provider.');
  const moved = before.issuer !== after.issuer && warning('issuer_changed', '/issuer', 'People of the former issuer are others than those of this one, and cannot log in any more.');
  const followed = before.issuer !== after.issuer && isSecretKept && warning('secret_follows_new_issuer', '/clientSecret', 'The secret stored for the former issuer is now sent to this one.');
  return [renamed, moved, followed].filter((item) => item !== false);
}
