import { headerPolicyId, type StoredHeaderPolicy } from '@gatehouse/gateway-config';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { changedPointers } from '../audit/changed-pointers.ts';
import type { Sql } from '../database/sql.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import { deleteHeaderPolicy, type HeaderPolicyRow, putHeaderPolicy } from './header-policy.store.ts';

/** Document, revision and audit event, in the transaction that has locked them. What changes nothing leaves nothing behind. */
export async function saveHeaderPolicy(sql: Sql, before: HeaderPolicyRow | undefined, document: StoredHeaderPolicy, actor: ChangeAuthor): Promise<HeaderPolicyRow> {
  const fields = changedPointers(before?.document ?? {}, document);
  if (before !== undefined && fields.length === 0) return before;
  const row = await putHeaderPolicy(sql, document, await takeRevision(sql, [headerPolicyId]));
  await audit(sql, before === undefined ? 'created' : 'changed', fields, actor);
  return row;
}

/** Back to no document. */
export async function removeHeaderPolicy(sql: Sql, actor: ChangeAuthor): Promise<void> {
  await deleteHeaderPolicy(sql);
  await takeRevision(sql, [headerPolicyId]);
  await audit(sql, 'deleted', [], actor);
}

const audit = (sql: Sql, change: 'created' | 'changed' | 'deleted', fields: readonly string[], actor: ChangeAuthor): Promise<void> =>
  appendAuditEvent(sql, {
    actor, action: `header-policy.${change}`, workspace: null, targetKind: 'HeaderPolicy', targetId: headerPolicyId, targetName: 'header-policy', fields,
  });
