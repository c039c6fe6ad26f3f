import { authorizationServerId } from '@gatehouse/gateway-config';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { auditTargetId } from '../audit/audit-target-id.ts';
import type { Database } from '../database/database.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import type { Vault } from '../vault/vault.ts';
import { makeSigningKey } from './keep-signing-keys.ts';
import { forgetOtherSigningKeys, lockSigningKeys } from './signing-keys.store.ts';

/** For a key that somebody else may have: another one signs from now on, and what any earlier one signed is good no longer. @returns its id */
export function rotateSigningKeys(database: Database, vault: Vault, actor: ChangeAuthor): Promise<string> {
  return database.transaction(async (sql) => {
    await lockSigningKeys(sql);
    const kid = await makeSigningKey(sql, vault, 'now');
    await forgetOtherSigningKeys(sql, kid);
    await takeRevision(sql, [authorizationServerId]);
    await appendAuditEvent(sql, { actor, action: 'signing-keys.rotated', workspace: null, targetKind: 'SigningKey', targetId: auditTargetId(kid), targetName: kid, fields: [] });
    return kid;
  });
}
