import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { type AuditEvent, hashAuditEvent } from './audit-event.ts';

export interface Audited extends Pick<AuditEvent, 'action' | 'workspace' | 'targetKind' | 'targetId' | 'targetName' | 'fields'> {
  /** The event of an attempt has the attempt's id: a request with an idempotency key leaves one event, and so can be told to have been carried out. */
  readonly actor: ChangeAuthor;
}

/**
 * Appends an event in the change's own transaction: no change without its event, no event without its change. Takes the
 * head of the chain until the commit, so call it after everything that may wait for other rows.
 */
export async function appendAuditEvent(sql: Sql, audited: Audited): Promise<void> {
  const [head] = await sql<{ sequence: number; hash: string }>('select sequence, hash from audit_head where id = 1 for update');
  if (!head) throw new TypeError('the audit chain has no head');
  const { actor, action, workspace, targetKind, targetId, targetName, fields } = audited;
  const event: AuditEvent = {
    sequence: head.sequence + 1, id: actor.attempt ?? uuidV7(), at: new Date().toISOString(),
    actor: actor.name, ...(actor.displayName !== undefined && { actorName: actor.displayName }), action, workspace, targetKind, targetId, targetName, fields, prevHash: head.hash,
  };
  const hash = hashAuditEvent(event);
  await sql(
    `insert into audit_events (sequence, id, at, actor, actor_name, action, workspace, target_kind, target_id, target_name, fields, prev_hash, hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [event.sequence, event.id, event.at, event.actor, event.actorName ?? null, action, workspace, targetKind, targetId, targetName, JSON.stringify(fields), event.prevHash, hash],
  );
  await sql('update audit_head set sequence = $1, hash = $2 where id = 1', [event.sequence, hash]);
}
