import type { Caller } from '@gatehouse/agent-auth';
import type { IdentityClaims } from '@gatehouse/app-auth';

/** To whom it is said, by which server. */
export interface Recipient {
  readonly audience: string;
  readonly workspace: string | undefined;
  readonly name: string | undefined;
}

/**
 * What the gateway vouches for of a caller, and nothing where it can vouch for nobody: not of who is unknown, nor of a token whose
 * issuer the server does not insist on, which may name anybody as its subject. Of the others the kind says whose word the subject is: a token's
 * issuer is whoever the server takes tokens of, under whatever name, and no provider that people log in at.
 */
export function identityClaims(caller: Caller | undefined, { audience, workspace, name: server }: Recipient): IdentityClaims | undefined {
  if (caller === undefined || caller.kind === 'anonymous') return undefined;
  const { kind, id, subject, issuer, name, email, groups, identityProvider, claims } = caller;
  const sub = kind === 'service-account' ? id : subject;
  if (sub === undefined || (kind === 'token' && issuer === undefined)) return undefined;
  const agent = textOf(claims?.['client_id']) ?? textOf(claims?.['azp']);
  const saidName = kind === 'token' ? textOf(claims?.['name']) : name;
  return {
    sub,
    aud: audience,
    kind,
    ...(workspace !== undefined && { workspace }),
    ...(server !== undefined && { server }),
    ...(kind === 'person' && identityProvider !== undefined && { idp: identityProvider }),
    ...(kind === 'token' && { token_issuer: issuer }),
    ...(saidName !== undefined && { name: saidName }),
    ...(email !== undefined && { email }),
    ...(groups.length > 0 && { groups }),
    // RFC 8693 section 4.1: who acts, where that is somebody else.
    ...(agent !== undefined && agent !== sub && { act: { sub: agent } }),
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
