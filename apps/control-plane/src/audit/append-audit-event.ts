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
export const appendAuditEvent = (sql: Sql, audited: Audited): Promise<void> => appendAuditEvents(sql, [audited]);

/** The same for many, in their order and in as few statements. */
export async function appendAuditEvents(sql: Sql, all: readonly Audited[]): Promise<void> {
  if (all.length === 0) return;
  const [head] = await sql<{ sequence: number; hash: string }>('select sequence, hash from audit_head where id = 1 for update');
  if (!head) throw new TypeError('the audit chain has no head');
  let { sequence, hash } = head;
  const rows = all.map(({ actor, action, workspace, targetKind, targetId, targetName, fields }) => {
    const event: AuditEvent = {
      sequence: (sequence += 1), id: actor.attempt ?? uuidV7(), at: new Date().toISOString(),
      actor: actor.name, ...(actor.displayName !== undefined && { actorName: actor.displayName }), action, workspace, targetKind, targetId, targetName, fields, prevHash: hash,
    };
    hash = hashAuditEvent(event);
    return { ...event, hash };
  });
  await sql(
    `insert into audit_events (sequence, id, at, actor, actor_name, action, workspace, target_kind, target_id, target_name, fields, prev_hash, hash)
     select sequence, id, at, actor, "actorName", action, workspace, "targetKind", "targetId", "targetName", fields, "prevHash", hash
     from jsonb_to_recordset($1::jsonb) as e (sequence bigint, id uuid, at timestamptz, actor text, "actorName" text, action text, workspace text,
       "targetKind" text, "targetId" uuid, "targetName" text, fields jsonb, "prevHash" text, hash text)`,
    [JSON.stringify(rows)],
  );
  await sql('update audit_head set sequence = $1, hash = $2 where id = 1', [sequence, hash]);
}
