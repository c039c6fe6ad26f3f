import { GatewayError } from '@gatehouse/errors';
import { revocationsId } from '@gatehouse/gateway-config';
import { seal, sealedTerm, type Secret } from '@gatehouse/sealing';
import { Injectable } from '@nestjs/common';
import { mayUse } from '../agents-oauth/server-access.ts';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { insertTokenRevocations } from '../connections/disconnect/token-revocations.store.ts';
import { Database } from '../database/database.ts';
import { violates } from '../database/database-errors.ts';
import type { Sql } from '../database/sql.ts';
import { isUuid, uuidV7 } from '../database/uuid-v7.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { type Page, pageOf, type PageQuery } from '../http/page.ts';
import type { Person } from '../identity/person.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { Vault } from '../vault/vault.ts';
import { findWorkspace, listAllWorkspaces, readWorkspaces } from '../workspaces/workspaces.store.ts';
import type { MyCredential, ReadableCredentialUser } from './credential.dto.ts';
import { type CredentialRow, findCredential } from './credentials.store.ts';
import type { CredentialReference } from './credentials.service.ts';
import { deleteUserCredentials, findHeldCredential, type HeldCredentialRow, insertUserCredential, listCredentialUsers, listHeldCredentials, userCredentialContext } from './user-credentials.store.ts';

/** Values that people enter for themselves. They are in no snapshot: data planes ask the broker for them. */
@Injectable()
export class UserCredentials {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #publisher: SnapshotPublisher;

  constructor(database: Database, vault: Vault, publisher: SnapshotPublisher) {
    this.#database = database;
    this.#vault = vault;
    this.#publisher = publisher;
  }

  /** Those of the workspaces that a person belongs to, and what they entered where they belong no more. */
  async list(person: Person, { after, limit }: PageQuery): Promise<Page<MyCredential>> {
    const { sql } = this.#database;
    const workspaces = (await listAllWorkspaces(sql)).filter((workspace) => belongsTo(person, workspace)).map(({ id }) => id);
    return pageOf(await listHeldCredentials(sql, person.id, workspaces, after, limit + 1), limit, ({ id }) => id, presentHeld);
  }

  /** @throws GatewayError not_found for what is not of scope user, or of a workspace that the person does not belong to */
  async put(person: Person, credentialId: string, value: Secret, actor: ChangeAuthor): Promise<MyCredential> {
    const row = await this.#database.transaction(async (sql) => {
      const credential = await findUsable(sql, person, credentialId);
      await this.save(sql, person, credential, value, actor);
      return findHeld(sql, person, credentialId);
    });
    this.finish();
    return presentHeld(row);
  }

  /** In the transaction of what led to it; `finish` after it. */
  async save(sql: Sql, person: Person, credential: CredentialRow, value: Secret, actor: ChangeAuthor): Promise<void> {
    const place = { id: uuidV7(), workspaceId: credential.workspaceId, credentialId: credential.id, personId: person.id };
    const former = await deleteUserCredentials(sql, credential.id, person.id);
    const sealed = seal(await this.#vault.sealingRing(sql, place.workspaceId, 1), userCredentialContext(place), value.reveal());
    await insertUserCredential(sql, place, { sealed, keyTerm: sealedTerm(sealed) }).catch((cause: unknown) => {
      // Of two at the same moment, the first one counts.
      throw violates(cause, 'user_credentials_holder') ? new GatewayError('conflict', { cause }) : cause;
    });
    await forgetValues(sql, former);
    await audit(sql, 'value-set', credential, actor);
  }

  /** @throws GatewayError not_found where there is none */
  async remove(person: Person, credentialId: string, actor: ChangeAuthor): Promise<void> {
    await this.#database.transaction(async (sql) => {
      const credential = await findHeld(sql, person, credentialId);
      await removeValue(sql, credential, person.id, actor);
    });
    this.finish();
  }

  /** Who has a value, of those who administer it. */
  async users({ workspace, idOrName }: CredentialReference, { after, limit }: PageQuery): Promise<Page<ReadableCredentialUser>> {
    const { sql } = this.#database;
    const { id: workspaceId } = await findWorkspace(sql, workspace);
    const { id } = await findCredential(sql, workspaceId, idOrName);
    return pageOf(await listCredentialUsers(sql, id, after, limit + 1), limit, ({ personId }) => personId, ({ personId, name, email, updatedAt }) => ({
      user: { id: personId, name, ...(email !== null && { email }) }, updatedAt: updatedAt.toISOString(),
    }));
  }

  /** @throws GatewayError not_found */
  async removeOf({ workspace, idOrName }: CredentialReference, personId: string, actor: ChangeAuthor): Promise<void> {
    const { id: workspaceId } = await findWorkspace(this.#database.sql, workspace);
    await this.#database.transaction(async (sql) => {
      const credential = await findCredential(sql, workspaceId, idOrName, true);
      if (!isUuid(personId)) throw new GatewayError('not_found', { detail: 'user' });
      await removeValue(sql, credential, personId, actor);
    });
    this.finish();
  }

  finish(): void {
    this.#publisher.nudge();
  }
}

async function removeValue(sql: Sql, credential: CredentialRow, personId: string, actor: ChangeAuthor): Promise<void> {
  const removed = await deleteUserCredentials(sql, credential.id, personId);
  if (removed.length === 0) throw new GatewayError('not_found', { detail: 'value of a credential' });
  await forgetValues(sql, removed);
  await audit(sql, 'value-removed', credential, actor);
}

/** Data planes use them no more. */
async function forgetValues(sql: Sql, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await insertTokenRevocations(sql, ids);
  await takeRevision(sql, [revocationsId]);
}

async function findHeld(sql: Sql, person: Person, credentialId: string): Promise<HeldCredentialRow> {
  const row = isUuid(credentialId) ? await findHeldCredential(sql, person.id, credentialId) : undefined;
  if (!row) throw new GatewayError('not_found', { detail: 'credential' });
  return row;
}

/** Locked as it is found. @throws GatewayError not_found for what is not of scope user, or of a workspace that the person does not belong to */
export async function findUsable(sql: Sql, person: Person, credentialId: string): Promise<HeldCredentialRow> {
  const row = await findHeld(sql, person, credentialId);
  const [workspace] = await readWorkspaces(sql, [row.workspaceId]);
  if (!workspace || !belongsTo(person, workspace)) throw new GatewayError('not_found', { detail: 'credential of a workspace that the person does not belong to' });
  return row;
}

const belongsTo = (person: Person, { access }: { readonly access: Parameters<typeof mayUse>[0]['workspaceAccess'] | null }): boolean => mayUse({ access: undefined, workspaceAccess: access ?? undefined }, person);

function presentHeld({ id, workspace, name, document, valueUpdatedAt }: HeldCredentialRow): MyCredential {
  const { title, description } = document as { title?: string; description?: string };
  return {
    id, workspace, name,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    value: valueUpdatedAt === null ? { set: false } : { set: true, updatedAt: valueUpdatedAt.toISOString() },
  };
}

const audit = (sql: Sql, change: 'value-set' | 'value-removed', { id, name, workspace }: CredentialRow, actor: ChangeAuthor): Promise<void> =>
  appendAuditEvent(sql, { actor, action: `credential.${change}`, workspace, targetKind: 'Credential', targetId: id, targetName: name, fields: ['/value'] });
