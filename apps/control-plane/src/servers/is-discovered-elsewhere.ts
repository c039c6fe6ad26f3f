import type { StoredDocument } from './servers.store.ts';

interface Discovered {
  readonly appAuth?: { readonly discover?: boolean };
  readonly upstream?: { readonly url?: string };
}

/** Whether a server whose own authorization was discovered is another one now: its connections were for what stood behind it before. */
export function isDiscoveredElsewhere(before: StoredDocument, after: StoredDocument): boolean {
  // Before the change it may have been anything.
  const [was, is] = [before as Discovered | null, after as Discovered];
  return was?.appAuth?.discover === true && (is.appAuth?.discover !== true || is.upstream?.url !== was.upstream?.url);
}
