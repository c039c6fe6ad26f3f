import { GatewayError } from '@gatehouse/errors';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import type { Sql } from '../database/sql.ts';
import { isUuid } from '../database/uuid-v7.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { deleteSession, deleteSessions } from './browser-sessions.store.ts';
import type { Person } from './person.ts';

type Owner = Pick<Person, 'id' | 'name'>;

/** Ends one of a person's sessions. @throws GatewayError not_found */
export async function endSession(sql: Sql, owner: Owner, sessionId: string, actor: ChangeAuthor): Promise<void> {
  if (!isUuid(sessionId) || !(await deleteSession(sql, owner.id, sessionId))) throw new GatewayError('not_found', { detail: 'session' });
  await auditSession(sql, owner, actor);
}

/** Ends all of a person's sessions. */
export async function endAllSessions(sql: Sql, { id, name }: Owner, actor: ChangeAuthor): Promise<void> {
  if ((await deleteSessions(sql, id)) === 0) return;
  await appendAuditEvent(sql, { actor, action: 'person.sessions-ended', workspace: null, targetKind: 'Person', targetId: id, targetName: name, fields: [] });
}

/** A session that is over before its time. */
export function auditSession(sql: Sql, { id, name }: Owner, actor: ChangeAuthor): Promise<void> {
  return appendAuditEvent(sql, { actor, action: 'person.session-ended', workspace: null, targetKind: 'Person', targetId: id, targetName: name, fields: [] });
}
