import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { auditTargetId } from '../audit/audit-target-id.ts';
import type { Database } from '../database/database.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import type { Vault } from '../vault/vault.ts';
import { makeSigningKey } from './keep-signing-keys.ts';
import type { SigningKeyUse } from './signing-key-uses.ts';
import { forgetOtherSigningKeys, lockSigningKeys } from './signing-keys.store.ts';

/** For a key that somebody else may have: another one signs from now on, and what any earlier one signed is good no longer. @returns its id */
export function rotateSigningKeys(database: Database, vault: Vault, use: SigningKeyUse, actor: ChangeAuthor): Promise<string> {
  return database.transaction(async (sql) => {
    await lockSigningKeys(sql, use.table);
    const kid = await makeSigningKey(sql, vault, use, 'now');
    await forgetOtherSigningKeys(sql, use.table, kid);
    await takeRevision(sql, [use.document]);
    await appendAuditEvent(sql, { actor, action: use.rotated, workspace: null, targetKind: 'SigningKey', targetId: auditTargetId(kid), targetName: kid, fields: [] });
    return kid;
  });
}
