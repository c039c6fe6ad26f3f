import type { StoredDocument } from './servers.store.ts';

interface Source {
  readonly type?: unknown;
  readonly signed?: unknown;
}

/**
 * What a stored server signs of its callers: each source whole, with its audience. Whoever trusts the gateway's word does so
 * wherever it comes from, and a server says of whom it takes tokens.
 */
export function signedIdentities(document: StoredDocument | null | undefined): object[] {
  // Before a change it may have been anything.
  const headers: unknown = document?.['outboundHeaders'];
  if (!Array.isArray(headers)) return [];
  return headers.flatMap((header: { source?: Source | null } | null) => (header?.source?.type === 'caller-identity' && header.source.signed === true ? [header.source] : []));
}
