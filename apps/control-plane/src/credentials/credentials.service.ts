import { GatewayError } from '@gatehouse/errors';
import { type ReadableCredential, revocationsId, type Warning } from '@gatehouse/gateway-config';
import { Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { insertTokenRevocations } from '../connections/disconnect/token-revocations.store.ts';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { requireMatch } from '../http/entity-tag.ts';
import { type Page, pageOf, type PageQuery } from '../http/page.ts';
import { changedFields } from '../servers/changed-fields.ts';
import { mergePatch } from '../servers/merge-patch.ts';
import type { SecretPlan } from '../servers/plan-secrets.ts';
import { lockRevision, takeRevision } from '../snapshots/revisions.store.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { deleteAllSecrets, deleteSecrets, listSecrets, writeSecrets } from '../vault/secrets.store.ts';
import { Vault } from '../vault/vault.ts';
import { findWorkspace } from '../workspaces/workspaces.store.ts';
import { type CredentialRow, deleteCredential, findCredential, insertCredential, listCredentials, serversOfCredential, updateCredential } from './credentials.store.ts';
import { presentCredential, secretOwnerOf } from './present-credential.ts';
import { deleteUserCredentials } from './user-credentials.store.ts';
import { readWrittenCredential } from './written-credential.ts';

/** Which credential, by name or id. */
export interface CredentialReference {
  readonly workspace: string;
  readonly idOrName: string;
}

const namedInProblems = 20;

/** Credentials: every change is one transaction of document, value, audit event, and a revision of the servers that name it: its value is part of theirs. */
@Injectable()
export class Credentials {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #publisher: SnapshotPublisher;

  constructor(database: Database, vault: Vault, publisher: SnapshotPublisher) {
    this.#database = database;
    this.#vault = vault;
    this.#publisher = publisher;
  }

  async list(workspace: string, { after, limit }: PageQuery): Promise<Page<ReadableCredential>> {
    const { sql } = this.#database;
    const { id } = await findWorkspace(sql, workspace);
    const rows = await listCredentials(sql, id, after, limit + 1);
    const secrets = Map.groupBy(await listSecrets(sql, 'credentials', rows.map((row) => row.id)), ({ ownerId }) => ownerId);
    return pageOf(rows, limit, ({ name }) => name, (row) => presentCredential(row, secrets.get(row.id) ?? []));
  }

  async read({ workspace, idOrName }: CredentialReference): Promise<ReadableCredential> {
    const { sql } = this.#database;
    const { id } = await findWorkspace(sql, workspace);
    return present(sql, await findCredential(sql, id, idOrName));
  }

  async create(workspaceReference: string, body: unknown, actor: ChangeAuthor): Promise<ReadableCredential> {
    const workspace = await findWorkspace(this.#database.sql, workspaceReference);
    const written = readWrittenCredential(body, workspace.name, []);
    const created = await this.#database.transaction(async (sql) => {
      const id = uuidV7();
      await insertCredential(sql, workspace.id, { id, name: written.name, document: written.document });
      const row = await findCredential(sql, workspace.id, id);
      await this.#store(sql, row, written.secrets);
      // Servers may have named it before it was there.
      await this.#republish(sql, row, []);
      await audit(sql, 'created', row, changedFields(undefined, written.document, written.secrets), actor);
      return present(sql, row);
    });
    this.#publisher.nudge();
    return created;
  }

  replace(reference: CredentialReference, body: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableCredential> {
    return this.#change(reference, () => body, ifMatch, actor);
  }

  patch(reference: CredentialReference, patch: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableCredential> {
    return this.#change(reference, (current) => mergePatch(current, patch), ifMatch, actor);
  }

  /** What people entered goes with it. */
  async delete({ workspace, idOrName }: CredentialReference, ifMatch: string | undefined, actor: ChangeAuthor): Promise<void> {
    const { id: workspaceId } = await findWorkspace(this.#database.sql, workspace);
    await this.#database.transaction(async (sql) => {
      const row = await findCredential(sql, workspaceId, idOrName, true);
      requireMatch(ifMatch, row);
      const ended = await endValues(sql, row);
      await deleteAllSecrets(sql, secretOwnerOf(row));
      await deleteCredential(sql, row.id);
      await refuseInUse(sql, row, '');
      if (ended > 0) await takeRevision(sql, [revocationsId]);
      await audit(sql, 'deleted', row, [], actor);
    });
    this.#publisher.nudge();
  }

  async #change({ workspace, idOrName }: CredentialReference, toBody: (current: ReadableCredential) => unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableCredential> {
    const { id: workspaceId } = await findWorkspace(this.#database.sql, workspace);
    const changed = await this.#database.transaction(async (sql) => {
      const row = await findCredential(sql, workspaceId, idOrName, true);
      requireMatch(ifMatch, row);
      const stored = await listSecrets(sql, 'credentials', [row.id]);
      const written = readWrittenCredential(toBody(presentCredential(row, stored)), row.workspace, stored.map(({ field }) => field));
      const fields = changedFields(row.document, written.document, written.secrets);
      if (fields.length === 0) return presentCredential(row, stored);
      await updateCredential(sql, { id: row.id, name: written.name, document: written.document });
      await this.#store(sql, row, written.secrets);
      const isOtherScope = written.scope !== row.document.scope;
      let ended = isOtherScope ? await endValues(sql, row) : 0;
      const after = await findCredential(sql, workspaceId, row.id);
      if (isOtherScope) await refuseInUse(sql, row, '/scope');
      if (after.name !== row.name) {
        await refuseInUse(sql, row, '/name');
        // A server that sends what has this name is none that anybody has entered a value for.
        if ((await serversOfCredential(sql, workspaceId, after.name)).length > 0) ended += await endValues(sql, row);
      }
      await this.#republish(sql, after, ended > 0 ? [revocationsId] : []);
      await audit(sql, 'changed', after, fields, actor);
      if (ended === 0) return present(sql, after);
      // An attempt has one audit event: that of the change itself.
      await audit(sql, 'values-ended', after, ['/value'], { ...actor, attempt: undefined });
      return present(sql, after, [valuesEnded(ended, isOtherScope ? '/scope' : '/name')]);
    });
    this.#publisher.nudge();
    return changed;
  }

  async #store(sql: Sql, row: CredentialRow, plan: SecretPlan): Promise<void> {
    const owner = secretOwnerOf(row);
    await deleteSecrets(sql, owner, plan.removed);
    if (plan.set.size > 0) await writeSecrets(sql, await this.#vault.sealingRing(sql, row.workspaceId, plan.set.size), owner, plan.set);
  }

  /** A server that names it and is changed at the same time is in the list, or takes its revision after this one. */
  async #republish(sql: Sql, { workspaceId, name }: CredentialRow, others: readonly string[]): Promise<void> {
    await lockRevision(sql);
    const servers = await serversOfCredential(sql, workspaceId, name);
    const ids = [...servers.map(({ id }) => id), ...others];
    if (ids.length > 0) await takeRevision(sql, ids);
  }
}

const present = async (sql: Sql, row: CredentialRow, warnings: readonly Warning[] = []): Promise<ReadableCredential> =>
  presentCredential(row, await listSecrets(sql, 'credentials', [row.id]), warnings);

/** Values that people entered; data planes forget them by the credential's name. @returns how many */
async function endValues(sql: Sql, { id }: CredentialRow): Promise<number> {
  const ended = await deleteUserCredentials(sql, id, null);
  if (ended.length > 0) await insertTokenRevocations(sql, [id]);
  return ended.length;
}

const valuesEnded = (count: number, pointer: string): Warning => ({ code: 'values_ended', pointer, detail: `${count} values that people had entered are deleted.` });

/** Servers name their credentials: without one, or under another name, their calls fail. @throws GatewayError conflict */
async function refuseInUse(sql: Sql, { workspaceId, name }: CredentialRow, pointer: string): Promise<void> {
  await lockRevision(sql);
  const names = (await serversOfCredential(sql, workspaceId, name)).map((server) => server.name);
  if (names.length === 0) return;
  const more = names.length > namedInProblems ? ', …' : '';
  throw new GatewayError('conflict', { problems: [{ pointer, detail: `is used by ${names.slice(0, namedInProblems).join(', ')}${more}`, code: 'credential_in_use' }] });
}

const audit = (sql: Sql, change: 'created' | 'changed' | 'values-ended' | 'deleted', { id, name, workspace }: CredentialRow, fields: readonly string[], actor: ChangeAuthor): Promise<void> =>
  appendAuditEvent(sql, { actor, action: `credential.${change}`, workspace, targetKind: 'Credential', targetId: id, targetName: name, fields });
