import type { StoredDocument } from './servers.store.ts';

/** Where a server's upstream is; undefined where what is stored does not say. */
export function originOf(document: StoredDocument | null): string | undefined {
  // Before a change it may have been anything.
  const url = (document as { upstream?: { url?: unknown } | null } | null)?.upstream?.url;
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : undefined;
}
