import { pointerOf } from '@gatehouse/errors';
import type { ServerDocument, Warning } from '@gatehouse/gateway-config';
import type { StoredDocument } from './servers.store.ts';

/** Who may call, although no caller of this server is ever such a one: the way they authenticate knows no other. */
export function accessWarnings(document: StoredDocument): Warning[] {
  const { access, agentAuth } = document as Partial<Pick<ServerDocument, 'access' | 'agentAuth'>>;
  const [stranger, why] = agentAuth?.type === 'api-key' ? (['user', 'callers with a key are service accounts'] as const) : (['serviceAccount', 'service accounts cannot authenticate at this server'] as const);
  return (access?.allow ?? []).flatMap((entry, index) =>
    entry[stranger] === undefined ? [] : [{ code: 'access_matches_nobody', pointer: pointerOf(['access', 'allow', index, stranger]), detail: `This lets nobody in: ${why}.` }],
  );
}
