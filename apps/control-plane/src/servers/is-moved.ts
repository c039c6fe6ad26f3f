import { redirectTarget } from '@gatehouse/egress';
import type { StoredDocument } from './servers.store.ts';

/**
 * Whether what a server sends goes elsewhere after a change: to another origin, or out of its upstream's path, behind which
 * somebody else may be. It is where no redirect of the former upstream would have been followed to (D7, docs/rules.md).
 */
export function isMoved(before: StoredDocument | null, after: StoredDocument): boolean {
  const [base, location] = [urlOf(before), urlOf(after)];
  if (base === location) return false;
  return base === undefined || location === undefined || 'refused' in redirectTarget({ base, method: 'GET', path: new URL(base).pathname, status: 307, location }, 0);
}

/** Where a server's upstream is; undefined where what is stored does not say. */
function urlOf(document: StoredDocument | null): string | undefined {
  // Before a change it may have been anything.
  const url = (document as { upstream?: { url?: unknown } | null } | null)?.upstream?.url;
  return typeof url === 'string' && URL.canParse(url) ? url : undefined;
}
