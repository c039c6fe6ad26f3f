import { GatewayError } from '@gatehouse/errors';
import { type ReadableWorkspace, type WorkspaceAccess, writableWorkspace } from '@gatehouse/gateway-config';
import { Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { requireMatch } from '../http/entity-tag.ts';
import { type Page, pageOf, type PageQuery } from '../http/page.ts';
import { parseDocument } from '../http/parse-document.ts';
import { entryWarnings } from '../servers/access-warnings.ts';
import { mergePatch } from '../servers/merge-patch.ts';
import { readProviderNames } from '../servers/surroundings.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import { deleteKeys } from '../vault/data-keys.store.ts';
import { deleteWorkspace, findWorkspace, insertWorkspace, listWorkspaces, updateWorkspace, type WorkspaceRow } from './workspaces.store.ts';

/** The boundary of tenancy: making and removing it, and who belongs inside. */
@Injectable()
export class WorkspacesService {
  readonly #database: Database;
  readonly #publisher: SnapshotPublisher;

  constructor(database: Database, publisher: SnapshotPublisher) {
    this.#database = database;
    this.#publisher = publisher;
  }

  async list({ after, limit }: PageQuery): Promise<Page<ReadableWorkspace>> {
    const { sql } = this.#database;
    const providers = await readProviderNames(sql);
    return pageOf(await listWorkspaces(sql, after, limit + 1), limit, ({ name }) => name, (row) => present(row, providers));
  }

  async read(reference: string): Promise<ReadableWorkspace> {
    const { sql } = this.#database;
    return presentWith(sql, await findWorkspace(sql, reference));
  }

  async create(body: unknown, actor: ChangeAuthor): Promise<ReadableWorkspace> {
    const { name, access } = parseDocument(writableWorkspace, body);
    const created = await this.#database.transaction(async (sql) => {
      const row = await insertWorkspace(sql, uuidV7(), { name, access: access ?? null });
      await takeRevision(sql, [row.id]);
      await audit(sql, 'created', row, access === undefined ? ['/name'] : ['/access', '/name'], actor);
      return presentWith(sql, row);
    });
    this.#publisher.nudge();
    return created;
  }

  replace(reference: string, body: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableWorkspace> {
    return this.#change(reference, () => body, ifMatch, actor);
  }

  patch(reference: string, patch: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableWorkspace> {
    return this.#change(reference, (current) => mergePatch(current, patch), ifMatch, actor);
  }

  /** Only an empty one. Its data keys go with it: what a backup still holds of its secrets can no longer be opened here. */
  async delete(reference: string, actor: ChangeAuthor): Promise<void> {
    await this.#database.transaction(async (sql) => {
      const row = await findWorkspace(sql, reference);
      await deleteWorkspace(sql, row.id);
      await deleteKeys(sql, row.id);
      await takeRevision(sql, [row.id]);
      await audit(sql, 'deleted', row, [], actor);
    });
    this.#publisher.nudge();
  }

  async #change(reference: string, toBody: (current: ReadableWorkspace) => unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableWorkspace> {
    const changed = await this.#database.transaction(async (sql) => {
      const row = await findWorkspace(sql, reference, true);
      requireMatch(ifMatch, row);
      const { name, access = null } = parseDocument(writableWorkspace, toBody(present(row, [])));
      // Clients have the name in their URLs, and tokens in their audience.
      if (name !== row.name) throw new GatewayError('validation_failed', { problems: [{ pointer: '/name', detail: 'cannot be changed: it is in the URL of every server of the workspace', code: 'name_fixed' }] });
      if (isSame(access, row.access)) return presentWith(sql, row);
      const updated = await updateWorkspace(sql, { id: row.id, access });
      await takeRevision(sql, [row.id]);
      await audit(sql, 'changed', row, ['/access'], actor);
      return presentWith(sql, updated);
    });
    this.#publisher.nudge();
    return changed;
  }
}

const presentWith = async (sql: Sql, row: WorkspaceRow): Promise<ReadableWorkspace> => present(row, await readProviderNames(sql));

const present = ({ id, name, access, revision, createdAt, updatedAt }: WorkspaceRow, providers: readonly string[]): ReadableWorkspace => ({
  kind: 'Workspace', id, name, revision,
  ...(access !== null && { access }),
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
  warnings: entryWarnings(access?.allow ?? [], providers),
});

/** Both as they were parsed: their fields have one order. */
const isSame = (left: WorkspaceAccess | null, right: WorkspaceAccess | null): boolean => JSON.stringify(entriesOf(left)) === JSON.stringify(entriesOf(right));
const entriesOf = (access: WorkspaceAccess | null) => access?.allow.map(({ group, user, identityProvider }) => [group, user, identityProvider]);

const audit = (sql: Sql, change: 'created' | 'changed' | 'deleted', { id, name }: WorkspaceRow, fields: readonly string[], actor: ChangeAuthor): Promise<void> =>
  appendAuditEvent(sql, { actor, action: `workspace.${change}`, workspace: name, targetKind: 'Workspace', targetId: id, targetName: name, fields });
