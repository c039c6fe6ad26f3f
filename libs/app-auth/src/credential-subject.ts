import type { TokenSubject } from '@gatehouse/access-tokens';
import type { Caller } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';

/** Whose tokens and credentials a call uses: never somebody else's. @throws GatewayError connection_needs_person where the caller is nobody who could have any */
export function credentialSubject(caller: Caller | undefined): Exclude<TokenSubject, 'shared'> {
  const subject = caller?.subject;
  if (caller?.kind === 'person' && subject !== undefined) return { person: subject };
  // Of a token, only where the server insists on its issuer: otherwise whoever signs it chooses what it says there.
  if (caller?.kind === 'token' && subject !== undefined && caller.issuer !== undefined) return { issuer: caller.issuer, subject };
  throw new GatewayError('connection_needs_person', { detail: caller?.kind ?? 'nobody' });
}
