import { appendAuditEvents } from '../../audit/append-audit-event.ts';
import type { Sql } from '../../database/sql.ts';
import type { ChangeAuthor } from '../../http/actor.ts';
import type { EndedConnection } from './disconnections.service.ts';

/** Why connections end that nobody disconnected. */
export type EndReason = 'app-deleted' | 'app-changed' | 'server-deleted' | 'server-changed' | 'provider-changed' | 'person-deleted';

/** An event for each, `connection.ended-<reason>`, after everything else that the transaction may wait for. Tokens of logins are no connections. */
export async function auditEnded(sql: Sql, ended: readonly EndedConnection[], reason: EndReason, actor: ChangeAuthor): Promise<void> {
  const connections = ended.filter(({ sessionId }) => sessionId === null);
  await appendAuditEvents(sql, connections.map(({ id, workspace, ownerName, personId }) => ({
    // An attempt has one audit event: that of the change itself.
    actor: { ...actor, attempt: undefined },
    action: `connection.ended-${reason}`, workspace, targetKind: 'Connection', targetId: id, targetName: ownerName, fields: [kindOf(personId)],
  })));
}

/** Of an audit event about a connection: whose it is. */
export const kindOf = (personId: string | null | undefined): string => (typeof personId === 'string' ? '/personal' : '/shared');
