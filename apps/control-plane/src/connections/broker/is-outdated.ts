import type { TokenRequest } from '@gatehouse/access-tokens';
import type { StoredDocument } from '../../servers/servers.store.ts';

/**
 * Whether a data plane would send the token to an upstream that the server does not have any more. It may go by a document of before
 * for as long as no revision reaches it.
 */
export function isOutdated({ upstream }: TokenRequest, now: string | null | undefined): boolean {
  return upstream !== undefined && upstream !== now;
}

export const upstreamOf = (document: StoredDocument): string | undefined => (document as { upstream?: { url?: string } }).upstream?.url;
