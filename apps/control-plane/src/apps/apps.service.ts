import { type ResolvedApp, resolveApp } from '@gatehouse/app-catalog';
import type { AddressGuard } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import { completeApp, type ReadableApp, type Warning } from '@gatehouse/gateway-config';
import { Inject, Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { deleteConnectStates } from '../connections/connect/connect-states.store.ts';
import { auditEnded } from '../connections/disconnect/audit-ended.ts';
import { Disconnections, type EndedConnection, type RevokingClients } from '../connections/disconnect/disconnections.service.ts';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { requireMatch } from '../http/entity-tag.ts';
import { type Page, pageOf, type PageQuery } from '../http/page.ts';
import { changedFields } from '../servers/changed-fields.ts';
import { mergePatch } from '../servers/merge-patch.ts';
import { type SecretPlan, withKeptSecrets } from '../servers/plan-secrets.ts';
import { addressGuardToken } from '../servers/probe/address-guard.provider.ts';
import { deleteAllSecrets, deleteSecrets, listSecrets, writeSecrets } from '../vault/secrets.store.ts';
import { Vault } from '../vault/vault.ts';
import { findWorkspace } from '../workspaces/workspaces.store.ts';
import { changeWarnings } from './app-warnings.ts';
import { type AppRow, deleteApp, findApp, insertApp, listApps, lookUpApp, serversOfApp, updateApp } from './apps.store.ts';
import { type Catalog, catalogToken } from './catalog.ts';
import { insecureUrls, plainUrls } from './insecure-urls.ts';
import { openApp, secretOwnerOf } from './open-app.ts';
import { type PresentContext, presentApp } from './present-app.ts';
import { secretToGiveAgain } from './secret-to-give-again.ts';
import { readWrittenApp, type WrittenApp } from './written-app.ts';

/** Which app, by name or id. */
export interface AppReference {
  readonly workspace: string;
  readonly idOrName: string;
}

/** An app as connections use it. */
export interface UsableApp {
  readonly id: string;
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  readonly app: ResolvedApp;
}

const namedInProblems = 20;

/** Apps: every change is one transaction of document, secret and audit event. Data planes know nothing of them. */
@Injectable()
export class Apps {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #guard: AddressGuard;
  readonly #catalog: Catalog;
  readonly #disconnections: Disconnections;
  readonly #context: PresentContext;

  constructor(
    database: Database, vault: Vault, @Inject(settingsToken) settings: ControlPlaneSettings, @Inject(addressGuardToken) guard: AddressGuard,
    @Inject(catalogToken) catalog: Catalog, disconnections: Disconnections,
  ) {
    this.#database = database;
    this.#vault = vault;
    this.#guard = guard;
    this.#catalog = catalog;
    this.#disconnections = disconnections;
    this.#context = { controlPlaneUrl: settings.CONTROL_PLANE_URL, catalog };
  }

  /**
   * An app with its secret and everything that the catalogue fills in; undefined where there is none.
   * @throws GatewayError connection_misconfigured, vault_sealed_value_unreadable
   */
  async resolve(sql: Sql, workspaceId: string, idOrName: string): Promise<UsableApp | undefined> {
    const row = await lookUpApp(sql, workspaceId, idOrName);
    if (!row) return undefined;
    const document = await openApp(sql, this.#vault, row);
    const resolution = resolveApp(document, this.#catalog);
    // Valid when it was saved: this release's catalogue is another.
    if ('problems' in resolution) throw new GatewayError('connection_misconfigured', { detail: `app ${row.name}: ${resolution.problems[0]?.pointer} ${resolution.problems[0]?.detail}` });
    const provider = document.provider === undefined ? undefined : this.#catalog.get(document.provider);
    return { id: row.id, name: row.name, title: document.title ?? provider?.title ?? row.name, app: resolution.app };
  }

  async list(workspace: string, { after, limit }: PageQuery): Promise<Page<ReadableApp>> {
    const { sql } = this.#database;
    const { id } = await findWorkspace(sql, workspace);
    const rows = await listApps(sql, id, after, limit + 1);
    const secrets = Map.groupBy(await listSecrets(sql, 'apps', rows.map((row) => row.id)), ({ ownerId }) => ownerId);
    return pageOf(rows, limit, ({ name }) => name, (row) => presentApp(row, secrets.get(row.id) ?? [], this.#context));
  }

  async read({ workspace, idOrName }: AppReference): Promise<ReadableApp> {
    const { sql } = this.#database;
    const { id } = await findWorkspace(sql, workspace);
    return this.#present(sql, await findApp(sql, id, idOrName));
  }

  async create(workspaceReference: string, body: unknown, actor: ChangeAuthor): Promise<ReadableApp> {
    const workspace = await findWorkspace(this.#database.sql, workspaceReference);
    const written = readWrittenApp(body, { workspace: workspace.name, storedSecrets: [], catalog: this.#catalog });
    await this.#refuseInsecure(written);
    return this.#database.transaction(async (sql) => {
      const id = uuidV7();
      await insertApp(sql, workspace.id, { id, name: written.name, document: written.document });
      const row = await findApp(sql, workspace.id, id);
      await this.#store(sql, row, written.secrets);
      await audit(sql, 'created', row, changedFields(undefined, written.document, written.secrets), actor);
      return this.#present(sql, row);
    });
  }

  replace(reference: AppReference, body: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableApp> {
    return this.#change(reference, () => body, ifMatch, actor);
  }

  patch(reference: AppReference, patch: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableApp> {
    return this.#change(reference, (current) => mergePatch(current, patch), ifMatch, actor);
  }

  /** Its connections end with it, here and at the provider. */
  async delete({ workspace, idOrName }: AppReference, ifMatch: string | undefined, actor: ChangeAuthor): Promise<void> {
    const { id: workspaceId } = await findWorkspace(this.#database.sql, workspace);
    const { id } = await findApp(this.#database.sql, workspaceId, idOrName);
    const clients = await this.#disconnections.prepare({ owner: id });
    await this.#database.transaction(async (sql) => {
      const row = await findApp(sql, workspaceId, id, true);
      requireMatch(ifMatch, row);
      await refuseInUse(sql, row, '');
      const ended = await this.#disconnections.end(sql, { owner: id }, clients);
      await deleteAllSecrets(sql, secretOwnerOf(row));
      await deleteApp(sql, row.id);
      await auditEnded(sql, ended, 'app-deleted', actor);
      await audit(sql, 'deleted', row, [], actor);
    });
    this.#disconnections.finish();
  }

  async #change({ workspace, idOrName }: AppReference, toBody: (current: ReadableApp) => unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableApp> {
    const { id: workspaceId } = await findWorkspace(this.#database.sql, workspace);
    const seen = await findApp(this.#database.sql, workspaceId, idOrName);
    requireMatch(ifMatch, seen);
    // Names are looked up before the transaction, so that none waits for a name server.
    const checked = await this.#written(this.#database.sql, seen, toBody);
    await this.#refuseInsecure(checked);
    const clients = this.#isAnotherClient(seen, checked.app) ? await this.#disconnections.prepare({ owner: seen.id }) : undefined;
    const changed = await this.#database.transaction(async (sql) => {
      const row = await findApp(sql, workspaceId, seen.id, true);
      requireMatch(ifMatch, row);
      const written = await this.#written(sql, row, toBody);
      // Under `If-Match: *` another change may have come between: this one was not checked.
      if (String(plainUrls(written.app)) !== String(plainUrls(checked.app))) throw new GatewayError('conflict');
      const fields = changedFields(row.document, written.document, written.secrets);
      if (fields.length === 0) return this.#present(sql, row);
      const problems = secretToGiveAgain(this.#resolved(row), written);
      if (problems.length > 0) throw new GatewayError('validation_failed', { problems });

      if (written.name !== row.name) await refuseInUse(sql, row, '/name');
      await updateApp(sql, { id: row.id, name: written.name, document: written.document });
      await this.#store(sql, row, written.secrets);
      const after = await findApp(sql, workspaceId, row.id);
      const ended = await this.#endConnections(sql, row, written, clients);
      await auditEnded(sql, ended, 'app-changed', actor);
      await audit(sql, 'changed', after, fields, actor);
      return this.#present(sql, after, [...this.#changeWarnings(row, written), ...endedWarnings(ended.length)]);
    });
    this.#disconnections.finish();
    return changed;
  }

  /** Tokens are of one client at one provider: they are of no use to another, which must not get to see them either. */
  async #endConnections(sql: Sql, row: AppRow, { app }: WrittenApp, clients: RevokingClients = new Map()): Promise<EndedConnection[]> {
    if (!this.#isAnotherClient(row, app)) return [];
    await deleteConnectStates(sql, row.id);
    return this.#disconnections.end(sql, { owner: row.id }, clients);
  }

  #isAnotherClient(row: AppRow, app: ResolvedApp): boolean {
    const former = this.#resolved(row);
    return former?.clientId !== app.clientId || former.tokenUrl !== app.tokenUrl || former.refreshUrl !== app.refreshUrl || former.revocationUrl !== app.revocationUrl;
  }

  #changeWarnings(row: AppRow, { name, app, secrets }: WrittenApp): Warning[] {
    return changeWarnings({ name: row.name, tokenUrl: this.#resolved(row)?.tokenUrl }, { name, tokenUrl: app.tokenUrl }, secrets.kept.size > 0);
  }

  async #written(sql: Sql, row: AppRow, toBody: (current: ReadableApp) => unknown): Promise<WrittenApp> {
    const stored = await listSecrets(sql, 'apps', [row.id]);
    const storedSecrets = stored.map(({ field }) => field);
    return readWrittenApp(toBody(presentApp(row, stored, this.#context)), { workspace: row.workspace, storedSecrets, catalog: this.#catalog });
  }

  /** @throws GatewayError validation_failed */
  async #refuseInsecure({ app, document }: WrittenApp): Promise<void> {
    const problems = await insecureUrls(app, document, this.#guard);
    if (problems.length > 0) throw new GatewayError('validation_failed', { problems });
  }

  /** As it is stored, with something in the place of its secret; undefined where this release's catalogue does not take it. */
  #resolved({ document }: AppRow): ResolvedApp | undefined {
    const locations = document['clientAuth'] === 'none' ? [] : ['/clientSecret'];
    const resolution = resolveApp(completeApp.parse(withKeptSecrets(document, locations)), this.#catalog);
    return 'app' in resolution ? resolution.app : undefined;
  }

  async #store(sql: Sql, row: AppRow, plan: SecretPlan): Promise<void> {
    const owner = secretOwnerOf(row);
    await deleteSecrets(sql, owner, plan.removed);
    if (plan.set.size > 0) await writeSecrets(sql, await this.#vault.sealingRing(sql, row.workspaceId, plan.set.size), owner, plan.set);
  }

  async #present(sql: Sql, row: AppRow, warnings: readonly Warning[] = []): Promise<ReadableApp> {
    return presentApp(row, await listSecrets(sql, 'apps', [row.id]), this.#context, warnings);
  }
}

/** Servers name their app: without it, or under another name, their calls fail. @throws GatewayError conflict */
async function refuseInUse(sql: Sql, row: AppRow, pointer: string): Promise<void> {
  const names = await serversOfApp(sql, row.workspaceId, row.name, namedInProblems + 1);
  if (names.length === 0) return;
  const more = names.length > namedInProblems ? ', …' : '';
  throw new GatewayError('conflict', { problems: [{ pointer, detail: `is used by ${names.slice(0, namedInProblems).join(', ')}${more}`, code: 'app_in_use' }] });
}

const endedWarnings = (count: number): Warning[] =>
  count === 0 ? [] : [{ code: 'connections_ended', pointer: '', detail: `${count} connections of the former client have ended: people are asked to connect again.` }];

const audit = (sql: Sql, change: 'created' | 'changed' | 'deleted', { id, name, workspace }: AppRow, fields: readonly string[], actor: ChangeAuthor): Promise<void> =>
  appendAuditEvent(sql, { actor, action: `app.${change}`, workspace, targetKind: 'App', targetId: id, targetName: name, fields });
