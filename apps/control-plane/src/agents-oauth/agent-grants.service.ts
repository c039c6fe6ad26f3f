import { Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { isUuid } from '../database/uuid-v7.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { deleteConsent, deleteConsents } from './consents.store.ts';
import { type GrantRow, listGrants, lockGrant, lockGrants, lockGrantsOfClient, lockGrantsOfSession } from './grants.store.ts';
import { revokeGrants } from './revoke-grants.ts';

/** What people allowed clients, and how it ends. */
@Injectable()
export class AgentGrants {
  readonly #database: Database;
  readonly #publisher: SnapshotPublisher;

  constructor(database: Database, publisher: SnapshotPublisher) {
    this.#database = database;
    this.#publisher = publisher;
  }

  /** The newest first. */
  list(personId: string): Promise<GrantRow[]> {
    return listGrants(this.#database.sql, personId);
  }

  /** The client is logged out, and asks for consent when it comes back. @returns false where the person has no such grant */
  revoke(personId: string, grantId: string, actor: ChangeAuthor): Promise<boolean> {
    if (!isUuid(grantId)) return Promise.resolve(false);
    return this.#revoking(async (sql) => {
      const [grant] = await lockGrants(sql, personId, grantId);
      if (!grant) return false;
      await deleteConsent(sql, grant);
      await revokeGrants(sql, [grant]);
      await appendAuditEvent(sql, { actor, action: 'grant.revoked', workspace: null, targetKind: 'Grant', targetId: grant.id, targetName: grant.clientId, fields: [] });
      return true;
    });
  }

  /** Every client of the person's is logged out. @returns how many grants there were */
  revokeAll(personId: string, actor: ChangeAuthor): Promise<number> {
    return this.#revoking((sql) => this.revokeAllWithin(sql, personId, actor));
  }

  /** As part of a change that ends more than this; `publish` follows its commit. */
  async revokeAllWithin(sql: Sql, personId: string, actor: ChangeAuthor): Promise<number> {
    const grants = await lockGrants(sql, personId);
    await deleteConsents(sql, personId);
    await revokeGrants(sql, grants);
    if (grants.length > 0) {
      await appendAuditEvent(sql, { actor, action: 'grants.revoked', workspace: null, targetKind: 'Person', targetId: personId, targetName: personId, fields: [] });
    }
    return grants.length;
  }

  /** What was revoked within a change that is committed goes to the data planes. */
  publish(): void {
    this.#publisher.nudge();
  }

  /** In the transaction that deletes a client: everybody is logged out of it. */
  async revokeOfClient(sql: Sql, clientId: string): Promise<void> {
    await revokeGrants(sql, await lockGrantsOfClient(sql, clientId));
  }

  /** As part of a change that ends a login for good, and not only the browser's session: what was allowed in it. `publish` follows its commit. */
  async revokeOfSession(sql: Sql, personId: string, sessionId: string): Promise<void> {
    await revokeGrants(sql, await lockGrantsOfSession(sql, personId, sessionId));
  }

  /**
   * The protocol's own end of a grant: the client gave its token back (RFC 7009), or a code or a refresh token was used twice.
   */
  end(grantId: string, why: 'given-back' | 'used-twice'): Promise<boolean> {
    return this.#revoking(async (sql) => {
      const grant = await lockGrant(sql, grantId);
      if (!grant) return false;
      await revokeGrants(sql, [grant]);
      const actor = { name: `client:${grant.clientId}`, attempt: undefined };
      await appendAuditEvent(sql, { actor, action: `grant.${why}`, workspace: null, targetKind: 'Grant', targetId: grant.id, targetName: grant.clientId, fields: [] });
      return true;
    });
  }

  async #revoking<T>(run: (sql: Sql) => Promise<T>): Promise<T> {
    const result = await this.#database.transaction(run);
    this.#publisher.nudge();
    return result;
  }
}
