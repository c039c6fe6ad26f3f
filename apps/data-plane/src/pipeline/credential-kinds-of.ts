import type { Credential, CredentialKind } from '@gatehouse/app-auth';
import type { PreparedServer } from '@gatehouse/upstream-request';

const ofAppAuth = new Map<CredentialKind, readonly CredentialKind[]>();
const none: readonly CredentialKind[] = ['none'];

/** How these credentials were come by, each way once: app authentication's first, then those of outbound headers that were not left out. */
export function credentialKindsOf({ appAuth: { credentialKind }, outboundHeaders }: PreparedServer, credentials: readonly Credential[]): readonly CredentialKind[] {
  // Of nearly all servers: the same array for all of their calls.
  if (outboundHeaders.length === 0) return ofAppAuth.get(credentialKind) ?? remember(credentialKind);
  const sent = outboundHeaders.filter(({ name }) => credentials.some((credential) => credential.in === 'header' && credential.name === name));
  const kinds = new Set([credentialKind, ...sent.map((header) => header.credentialKind)]);
  kinds.delete('none');
  return kinds.size === 0 ? none : [...kinds];
}

function remember(kind: CredentialKind): readonly CredentialKind[] {
  const kinds = [kind];
  ofAppAuth.set(kind, kinds);
  return kinds;
}
