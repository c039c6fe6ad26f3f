import type { CredentialScope } from '@gatehouse/gateway-config';
import type { StoredDocument } from '../servers/servers.store.ts';

/** An outbound header that sends a stored credential. */
export interface NamedCredential {
  /** Of the header in the document. */
  readonly index: number;
  readonly name: string;
  readonly scope: CredentialScope;
}

/** What a stored server sends of its workspace's credentials. */
export function namedCredentials(document: StoredDocument | null | undefined): NamedCredential[] {
  // Before a change it may have been anything.
  const headers: unknown = document?.['outboundHeaders'];
  if (!Array.isArray(headers)) return [];
  return headers.flatMap((header: { source?: { type?: unknown; name: string; scope: CredentialScope } } | null, index) => {
    const source = header?.source;
    return source?.type === 'credential' ? [{ index, name: source.name, scope: source.scope }] : [];
  });
}

/** Whoever may call such a server uses a credential that the gateway holds. */
export const sendsWorkspaceCredential = (document: StoredDocument | null | undefined): boolean => namedCredentials(document).some(({ scope }) => scope === 'workspace');
