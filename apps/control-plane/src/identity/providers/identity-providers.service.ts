import { GatewayError } from '@gatehouse/errors';
import type { ReadableIdentityProvider, Warning } from '@gatehouse/gateway-config';
import { Inject, Injectable } from '@nestjs/common';
import { followProviderChange } from '../../agents-oauth/follow-provider-change.ts';
import { appendAuditEvent } from '../../audit/append-audit-event.ts';
import { Database } from '../../database/database.ts';
import type { Sql } from '../../database/sql.ts';
import { uuidV7 } from '../../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import type { ChangeAuthor } from '../../http/actor.ts';
import { requireMatch } from '../../http/entity-tag.ts';
import { type Page, pageOf, type PageQuery } from '../../http/page.ts';
import { changedFields } from '../../servers/changed-fields.ts';
import { mergePatch } from '../../servers/merge-patch.ts';
import type { SecretPlan } from '../../servers/plan-secrets.ts';
import { SnapshotPublisher } from '../../snapshots/snapshot-publisher.service.ts';
import { deleteAllSecrets, deleteSecrets, listSecrets, type SecretOwner, writeSecrets } from '../../vault/secrets.store.ts';
import { gatewayItself, Vault } from '../../vault/vault.ts';
import { deleteTokensOfProvider } from '../login/provider-tokens.store.ts';
import { discoverProvider } from './discover-provider.ts';
import {
  deleteIdentityProvider, findIdentityProvider, type IdentityProviderRow, insertIdentityProvider, listIdentityProviders, listWhatNames, renameProviderOfPeople, updateIdentityProvider,
} from './identity-providers.store.ts';
import { presentProvider } from './present-provider.ts';
import { ProviderEgress } from './provider-egress.service.ts';
import { changeWarnings, discoveryWarnings } from './provider-warnings.ts';
import { readWrittenProvider, type WrittenProvider } from './written-provider.ts';

const table = 'identity_providers';

/** Where a provider's client secret is kept: it belongs to no workspace. */
export const secretOwnerOf = (id: string): SecretOwner => ({ workspaceId: gatewayItself, table, id });

/** The providers that people log in at. A document is tried before it is stored, and not inside of the transaction. */
@Injectable()
export class IdentityProviders {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #egress: ProviderEgress;
  readonly #publisher: SnapshotPublisher;
  readonly #controlPlaneUrl: string;

  constructor(database: Database, vault: Vault, egress: ProviderEgress, publisher: SnapshotPublisher, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#vault = vault;
    this.#egress = egress;
    this.#publisher = publisher;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  async list({ after, limit }: PageQuery): Promise<Page<ReadableIdentityProvider>> {
    const { sql } = this.#database;
    const rows = await listIdentityProviders(sql, after, limit + 1);
    const secrets = Map.groupBy(await listSecrets(sql, table, rows.map(({ id }) => id)), ({ ownerId }) => ownerId);
    return pageOf(rows, limit, ({ name }) => name, (row) => presentProvider(row, secrets.get(row.id) ?? [], this.#controlPlaneUrl));
  }

  async read(idOrName: string): Promise<ReadableIdentityProvider> {
    const { sql } = this.#database;
    return this.#present(sql, await findIdentityProvider(sql, idOrName));
  }

  async create(body: unknown, actor: ChangeAuthor): Promise<ReadableIdentityProvider> {
    const written = readWrittenProvider(body, []);
    const warnings = await this.#try(written);
    return this.#database.transaction(async (sql) => {
      const id = uuidV7();
      await insertIdentityProvider(sql, { id, name: written.name, document: written.document });
      await this.#store(sql, id, written.secrets);
      await audit(sql, 'created', { id, name: written.name }, changedFields(undefined, written.document, written.secrets), actor);
      return this.#present(sql, await findIdentityProvider(sql, id), warnings);
    });
  }

  replace(idOrName: string, body: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableIdentityProvider> {
    return this.#change(idOrName, () => body, ifMatch, actor);
  }

  patch(idOrName: string, patch: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableIdentityProvider> {
    return this.#change(idOrName, (current) => mergePatch(current, patch), ifMatch, actor);
  }

  /**
   * Its people stay known and cannot log in; their sessions are over with it. One that people log in at is not deleted while
   * servers ask for it by name: switched off, it answers with which they are.
   * @throws GatewayError conflict
   */
  async delete(idOrName: string, ifMatch: string | undefined, actor: ChangeAuthor): Promise<void> {
    await this.#database.transaction(async (sql) => {
      const row = await findIdentityProvider(sql, idOrName, true);
      requireMatch(ifMatch, row);
      await requireUnnamed(sql, row);
      await deleteTokensOfProvider(sql, row.id);
      await deleteAllSecrets(sql, secretOwnerOf(row.id));
      await deleteIdentityProvider(sql, row.id);
      await followProviderChange(sql);
      await audit(sql, 'deleted', row, [], actor);
    });
    this.#publisher.nudge();
  }

  async #change(idOrName: string, toBody: (current: ReadableIdentityProvider) => unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableIdentityProvider> {
    const seen = await findIdentityProvider(this.#database.sql, idOrName);
    requireMatch(ifMatch, seen);
    const tried = await this.#written(this.#database.sql, seen, toBody);
    const warnings = await this.#try(tried);
    const changed = await this.#database.transaction(async (sql) => {
      const row = await findIdentityProvider(sql, seen.id, true);
      requireMatch(ifMatch, row);
      const written = await this.#written(sql, row, toBody);
      // Under `If-Match: *` another change may have come between: this one was not tried.
      if (written.issuer !== tried.issuer) throw new GatewayError('conflict');
      const fields = changedFields(row.document, written.document, written.secrets);
      if (fields.length === 0) return this.#present(sql, row, warnings);

      await updateIdentityProvider(sql, { id: row.id, name: written.name, document: written.document });
      if (written.name !== row.name) await renameProviderOfPeople(sql, row.name, written.name);
      await this.#store(sql, row.id, written.secrets);
      await followProviderChange(sql);
      await audit(sql, 'changed', { id: row.id, name: written.name }, fields, actor);
      const before = { name: row.name, issuer: row.document['issuer'] };
      return this.#present(sql, await findIdentityProvider(sql, row.id), [...warnings, ...changeWarnings(before, written, written.secrets.kept.size > 0), ...(await leftBehind(sql, row, written))]);
    });
    this.#publisher.nudge();
    return changed;
  }

  async #written(sql: Sql, row: IdentityProviderRow, toBody: (current: ReadableIdentityProvider) => unknown): Promise<WrittenProvider> {
    const stored = await listSecrets(sql, table, [row.id]);
    return readWrittenProvider(toBody(presentProvider(row, stored, this.#controlPlaneUrl)), stored.map(({ field }) => field));
  }

  /** @throws GatewayError validation_failed */
  async #try({ issuer, document }: WrittenProvider): Promise<Warning[]> {
    return discoveryWarnings(await discoverProvider(this.#egress.fetch, issuer), { issuer, isEnabled: document['enabled'] !== false });
  }

  async #store(sql: Sql, id: string, plan: SecretPlan): Promise<void> {
    const owner = secretOwnerOf(id);
    await deleteSecrets(sql, owner, plan.removed);
    if (plan.set.size > 0) await writeSecrets(sql, await this.#vault.sealingRing(sql, gatewayItself, plan.set.size), owner, plan.set);
  }

  async #present(sql: Sql, row: IdentityProviderRow, warnings: readonly Warning[] = []): Promise<ReadableIdentityProvider> {
    return presentProvider(row, await listSecrets(sql, table, [row.id]), this.#controlPlaneUrl, warnings);
  }
}

/** @throws GatewayError conflict */
async function requireUnnamed(sql: Sql, { name, document }: IdentityProviderRow): Promise<void> {
  const named = document['enabled'] === false ? [] : await listWhatNames(sql, name);
  if (named.length > 0) throw new GatewayError('conflict', { problems: [{ pointer: '', detail: `is asked for by name: ${named.join(', ')}. Change those, or switch it off first`, code: 'provider_in_use' }] });
}

/** Who goes by a name that nobody can log in under any more. */
async function leftBehind(sql: Sql, before: IdentityProviderRow, { name, document }: WrittenProvider): Promise<Warning[]> {
  const isRenamed = before.name !== name;
  const isSwitchedOff = before.document['enabled'] !== false && document['enabled'] === false;
  const named = isRenamed || isSwitchedOff ? await listWhatNames(sql, before.name) : [];
  return named.length === 0 ? [] : [{ code: 'provider_in_use', pointer: isRenamed ? '/name' : '/enabled', detail: `Asked for by name, where nobody can log in now: ${named.join(', ')}.` }];
}

const audit = (sql: Sql, change: 'created' | 'changed' | 'deleted', { id, name }: { id: string; name: string }, fields: readonly string[], actor: ChangeAuthor): Promise<void> =>
  appendAuditEvent(sql, { actor, action: `identity-provider.${change}`, workspace: null, targetKind: 'IdentityProvider', targetId: id, targetName: name, fields });
