import type { Problem } from '@gatehouse/errors';
import type { WrittenServerDocument } from './written-server.ts';
import type { StoredDocument } from './servers.store.ts';

const clientOf = '/appAuth[oauth-client-credentials]/';

/** What is kept of a client’s secrets though its tokens come from elsewhere now: whoever writes the document need not have known it. */
export function secretsToGiveAgain(before: StoredDocument, { document, secrets }: Pick<WrittenServerDocument, 'document' | 'secrets'>): Problem[] {
  if (tokenOriginOf(before) === tokenOriginOf(document)) return [];
  const kept = [...secrets.kept].filter((location) => location.startsWith(clientOf));
  return kept.map((location) => ({ pointer: `/appAuth/${location.slice(clientOf.length)}`, detail: 'must be given again, because the token URL is of another origin', code: 'secret_of_another_origin' }));
}

function tokenOriginOf(document: StoredDocument): string | undefined {
  // Before the change it may have been anything.
  const tokenUrl = (document as { appAuth?: { tokenUrl?: unknown } | null } | null)?.appAuth?.tokenUrl;
  return typeof tokenUrl === 'string' && URL.canParse(tokenUrl) ? new URL(tokenUrl).origin : undefined;
}
