import { type IssuedKey, issueServiceAccountKey } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import { writableServiceAccount } from '@gatehouse/gateway-config';
import type { Secret } from '@gatehouse/sealing';
import { Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { parseDocument } from '../http/parse-document.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { findWorkspace, type WorkspaceRow } from '../workspaces/workspaces.store.ts';
import {
  deleteServiceAccount, findServiceAccount, insertServiceAccount, type ServiceAccountRow, setServiceAccountRevision, updateGroups, updateKey,
} from './service-accounts.store.ts';

export interface ServiceAccountReference {
  readonly workspace: string;
  readonly idOrName: string;
}

/** An account with a key that was just made; it exists nowhere else. */
export interface Issued {
  readonly row: ServiceAccountRow;
  readonly key: Secret;
}

interface Change {
  readonly action: string;
  readonly actor: ChangeAuthor;
  readonly workspace: WorkspaceRow;
  readonly id: string;
  readonly name: string;
  readonly fields: readonly string[];
}

/** Accounts of machines: a key is made here, shown once, and kept as a hash. */
@Injectable()
export class ServiceAccountsService {
  readonly #database: Database;
  readonly #publisher: SnapshotPublisher;

  constructor(database: Database, publisher: SnapshotPublisher) {
    this.#database = database;
    this.#publisher = publisher;
  }

  create(workspaceReference: string, body: unknown, actor: ChangeAuthor): Promise<Issued> {
    return this.#published(async (sql) => {
      const workspace = await findWorkspace(sql, workspaceReference);
      const { name, groups = [] } = readWritten(body, workspace);
      const issued = issueServiceAccountKey();
      const id = uuidV7();
      await insertServiceAccount(sql, workspace.id, { id, name, groups, ...kept(issued) });
      const row = await this.#conclude(sql, { action: 'service-account.created', actor, workspace, id, name, fields: ['/groups', '/key', '/name'] });
      return { row, key: issued.key };
    });
  }

  /** Its name stays: it is what the audit trail and access rules know it by. */
  replace(reference: ServiceAccountReference, body: unknown, requireMatch: (row: ServiceAccountRow) => void, actor: ChangeAuthor): Promise<ServiceAccountRow> {
    return this.#published(async (sql) => {
      const workspace = await findWorkspace(sql, reference.workspace);
      const row = await findServiceAccount(sql, workspace.id, reference.idOrName, true);
      requireMatch(row);
      const { name, groups = [] } = readWritten(body, workspace);
      if (name !== row.name) {
        throw new GatewayError('validation_failed', { problems: [{ pointer: '/name', detail: 'cannot be changed', code: 'immutable' }] });
      }
      if (JSON.stringify(groups) === JSON.stringify(row.groups)) return row;
      await updateGroups(sql, row.id, groups);
      return this.#conclude(sql, { action: 'service-account.changed', actor, workspace, id: row.id, name, fields: ['/groups'] });
    });
  }

  rotateKey(reference: ServiceAccountReference, actor: ChangeAuthor): Promise<Issued> {
    return this.#published(async (sql) => {
      const workspace = await findWorkspace(sql, reference.workspace);
      const { id, name } = await findServiceAccount(sql, workspace.id, reference.idOrName, true);
      const issued = issueServiceAccountKey();
      await updateKey(sql, id, kept(issued));
      const row = await this.#conclude(sql, { action: 'service-account.key-rotated', actor, workspace, id, name, fields: ['/key'] });
      return { row, key: issued.key };
    });
  }

  delete(reference: ServiceAccountReference, actor: ChangeAuthor): Promise<void> {
    return this.#published(async (sql) => {
      const workspace = await findWorkspace(sql, reference.workspace);
      const { id, name } = await findServiceAccount(sql, workspace.id, reference.idOrName, true);
      await deleteServiceAccount(sql, id);
      await takeRevision(sql, [id]);
      await audit(sql, { action: 'service-account.deleted', actor, workspace, id, name, fields: [] });
    });
  }

  async #published<T>(change: (sql: Sql) => Promise<T>): Promise<T> {
    const result = await this.#database.transaction(change);
    this.#publisher.nudge();
    return result;
  }

  async #conclude(sql: Sql, change: Change): Promise<ServiceAccountRow> {
    await setServiceAccountRevision(sql, change.id, await takeRevision(sql, [change.id]));
    await audit(sql, change);
    return findServiceAccount(sql, change.workspace.id, change.id);
  }
}

function readWritten(body: unknown, workspace: WorkspaceRow): { name: string; groups?: string[] | undefined } {
  const written = parseDocument(writableServiceAccount, body);
  if (written.workspace === undefined || written.workspace === workspace.name) return written;
  throw new GatewayError('validation_failed', {
    problems: [{ pointer: '/workspace', detail: 'is not the workspace of this URL', code: 'workspace_mismatch' }],
  });
}

const kept = ({ keyId, keyHash }: IssuedKey) => ({ keyId, keyHash });

const audit = (sql: Sql, { action, actor, workspace, id, name, fields }: Change): Promise<void> =>
  appendAuditEvent(sql, { actor, action, workspace: workspace.name, targetKind: 'ServiceAccount', targetId: id, targetName: name, fields });
