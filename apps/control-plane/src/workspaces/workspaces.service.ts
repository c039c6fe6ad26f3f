import { Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { Database } from '../database/database.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { parseDocument } from '../http/parse-document.ts';
import { deleteKeys } from '../vault/data-keys.store.ts';
import { writableWorkspace } from './workspace-document.ts';
import { deleteWorkspace, findWorkspace, insertWorkspace, type WorkspaceRow } from './workspaces.store.ts';

/** Making and removing the boundary of tenancy. */
@Injectable()
export class WorkspacesService {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  create(body: unknown, actor: ChangeAuthor): Promise<WorkspaceRow> {
    const { name } = parseDocument(writableWorkspace, body);
    return this.#database.transaction(async (sql) => {
      const row = await insertWorkspace(sql, uuidV7(), name);
      await appendAuditEvent(sql, { actor, action: 'workspace.created', workspace: name, targetKind: 'Workspace', targetId: row.id, targetName: name, fields: ['/name'] });
      return row;
    });
  }

  /** Only an empty one. Its data keys go with it: what a backup still holds of its secrets can no longer be opened here. */
  delete(reference: string, actor: ChangeAuthor): Promise<void> {
    return this.#database.transaction(async (sql) => {
      const { id, name } = await findWorkspace(sql, reference);
      await deleteWorkspace(sql, id);
      await deleteKeys(sql, id);
      await appendAuditEvent(sql, { actor, action: 'workspace.deleted', workspace: name, targetKind: 'Workspace', targetId: id, targetName: name, fields: [] });
    });
  }
}
