import type { Warning } from '@gatehouse/gateway-config';
import { type NamedCredential, namedCredentials } from '../credentials/named-credentials.ts';
import { personWarnings } from './connection-warnings.ts';
import type { StoredDocument } from './servers.store.ts';
import type { Surroundings } from './surroundings.ts';

/** Stored credentials that no call gets a value of. */
export function credentialWarnings(document: StoredDocument, { credentials, issuers }: Pick<Surroundings, 'credentials' | 'issuers'>): Warning[] {
  const named = namedCredentials(document);
  return [
    ...named.flatMap((credential) => warningOf(credential, credentials) ?? []),
    ...named.filter(({ scope }) => scope === 'user').slice(0, 1).flatMap(({ index }) => personWarnings(document, issuers, `/outboundHeaders/${index}/source`)),
  ];
}

function warningOf({ index, name, scope }: NamedCredential, credentials: Surroundings['credentials']): Warning | undefined {
  const found = credentials.find((credential) => credential.name === name);
  const pointer = `/outboundHeaders/${index}/source`;
  if (found === undefined) return { code: 'credential_not_found', pointer: `${pointer}/name`, detail: 'There is no credential of this name in the workspace: it has no value until there is.' };
  if (found.scope !== scope) return { code: 'credential_scope_mismatch', pointer: `${pointer}/scope`, detail: `The credential is of the scope ${found.scope}: it has no value here.` };
  return undefined;
}
