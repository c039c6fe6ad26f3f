import type { AddressGuard } from '@gatehouse/egress';
import { GatewayError, type Problem } from '@gatehouse/errors';
import { type ReadableServer, type Warning, writableServer } from '@gatehouse/gateway-config';
import { Inject, Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { CallerIssuers } from '../connections/broker/caller-issuers.service.ts';
import { auditEnded } from '../connections/disconnect/audit-ended.ts';
import { Disconnections, type RevokingClients } from '../connections/disconnect/disconnections.service.ts';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { environmentPolicyOf } from '../header-policy/environment-policy.ts';
import { readKnownPolicy } from '../header-policy/read-global-policy.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { requireMatch } from '../http/entity-tag.ts';
import { pageOf, type PageQuery } from '../http/page.ts';
import { isAtLeast, type Role } from '../identity/person.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import { deleteAllSecrets, deleteSecrets, listSecrets, writeSecrets } from '../vault/secrets.store.ts';
import { Vault } from '../vault/vault.ts';
import { findWorkspace, type WorkspaceRow } from '../workspaces/workspaces.store.ts';
import { administratorsOnly } from './administrators-only.ts';
import { changedFields } from './changed-fields.ts';
import { withIssuerWarnings } from './connection-warnings.ts';
import { withKeySetWarnings } from './key-set-warnings.ts';
import { mergePatch } from './merge-patch.ts';
import { plainTokenUrl } from './plain-token-url.ts';
import type { SecretPlan } from './plan-secrets.ts';
import { type PresentContext, presentListedServer, presentServer } from './present-server.ts';
import { addressGuardToken } from './probe/address-guard.provider.ts';
import { secretsToGiveAgain } from './secrets-to-give-again.ts';
import { type ServerPage, toServerPage } from './server-page.ts';
import { changeWarnings } from './server-warnings.ts';
import { deleteServer, findServer, insertServer, listServers, type ServerRow, type StoredDocument, updateServer } from './servers.store.ts';
import { isDiscoveredElsewhere } from './is-discovered-elsewhere.ts';
import { readSurroundings } from './surroundings.ts';
import { isApi, storedToolsOf } from './tools/complete-tools.ts';
import { importKeyOf } from './tools/import-key.ts';
import type { ServerTools } from './tools/server-tools.store.ts';
import { storeTools } from './tools/store-tools.ts';
import { ToolImports } from './tools/tool-imports.service.ts';
import { isVirtual, type MemberFindings, memberProblems, VirtualMembers } from './virtual-members.service.ts';
import { readWrittenServer } from './written-server.ts';

/** Which server, seen by whom, for which change. */
export interface ServerReference {
  readonly workspace: string;
  readonly idOrName: string;
}

/** Who changes a server, and what they are. */
export interface ServerAuthor extends ChangeAuthor {
  readonly role: Role;
}

/** The registry: every change is one transaction of document, secrets, revision and audit event. */
@Injectable()
export class ServersService {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #publisher: SnapshotPublisher;
  readonly #settings: ControlPlaneSettings;
  readonly #guard: AddressGuard;
  readonly #disconnections: Disconnections;
  readonly #issuers: CallerIssuers;
  readonly #imports: ToolImports;
  readonly #members: VirtualMembers;

  constructor(
    database: Database, vault: Vault, publisher: SnapshotPublisher,
    @Inject(settingsToken) settings: ControlPlaneSettings, @Inject(addressGuardToken) guard: AddressGuard,
    disconnections: Disconnections, issuers: CallerIssuers, imports: ToolImports, members: VirtualMembers,
  ) {
    this.#database = database;
    this.#vault = vault;
    this.#publisher = publisher;
    this.#settings = settings;
    this.#guard = guard;
    this.#disconnections = disconnections;
    this.#issuers = issuers;
    this.#imports = imports;
    this.#members = members;
  }

  async list(workspace: string, { after, limit }: PageQuery): Promise<ServerPage<ReadableServer>> {
    const { sql } = this.#database;
    const { id } = await findWorkspace(sql, workspace);
    const rows = await listServers(sql, id, after, limit + 1);
    const secrets = Map.groupBy(await listSecrets(sql, 'servers', rows.map((row) => row.id)), ({ ownerId }) => ownerId);
    const context = await this.#presentContext(sql, id);
    return toServerPage(pageOf(rows, limit, (row) => row.name, (row) => presentListedServer(row, secrets.get(row.id) ?? [], context)));
  }

  async read({ workspace, idOrName }: ServerReference): Promise<ReadableServer> {
    const { sql } = this.#database;
    const { id } = await findWorkspace(sql, workspace);
    return this.#present(sql, await findServer(sql, id, idOrName));
  }

  async create(workspaceReference: string, body: unknown, actor: ServerAuthor): Promise<ReadableServer> {
    refuse(await plainTokenUrl(body, this.#guard));
    const id = uuidV7();
    const tools = await this.#importForNew(workspaceReference, body, id, actor);
    const members = await this.#findCollisions(workspaceReference, body);
    const created = await this.#database.transaction(async (sql) => {
      const workspace = await findWorkspace(sql, workspaceReference);
      const written = readWrittenServer(body, this.#writeContext(workspace, []));
      requireRole(actor, administratorsOnly(undefined, written.document));
      refuse([...(await memberProblems(sql, workspace.id, written.document)), ...members.problems]);
      // The revision comes last: its row is what all changes wait for.
      await insertServer(sql, workspace.id, { id, name: written.name, document: written.document, revision: 0 });
      await this.#store(sql, workspace.id, id, written.secrets);
      await storeTools(sql, { id, before: undefined, after: written.document, stored: null, imported: tools });
      const fields = changedFields(undefined, written.document, written.secrets);
      return this.#conclude(sql, { action: 'server.created', actor, workspace, id, name: written.name, fields });
    });
    this.#publisher.nudge();
    return this.#withFetchedWarnings(created, members.warnings);
  }

  replace(reference: ServerReference, body: unknown, ifMatch: string | undefined, actor: ServerAuthor): Promise<ReadableServer> {
    return this.#change(reference, body, () => body, ifMatch, actor);
  }

  patch(reference: ServerReference, patch: unknown, ifMatch: string | undefined, actor: ServerAuthor): Promise<ReadableServer> {
    return this.#change(reference, patch, async (current) => mergePatch(await current(), patch), ifMatch, actor);
  }

  async delete({ workspace: workspaceReference, idOrName }: ServerReference, ifMatch: string | undefined, actor: ChangeAuthor): Promise<void> {
    const workspace = await findWorkspace(this.#database.sql, workspaceReference);
    const { id } = await findServer(this.#database.sql, workspace.id, idOrName);
    const clients = await this.#disconnections.prepare({ owner: id });
    await this.#database.transaction(async (sql) => {
      const row = await findServer(sql, workspace.id, id, true);
      requireMatch(ifMatch, row);
      const { name } = row;
      // Those that were made for this server alone; an app's stay with the app.
      const ended = await this.#disconnections.end(sql, { owner: id }, clients);
      await deleteAllSecrets(sql, { workspaceId: workspace.id, table: 'servers', id });
      await deleteServer(sql, id);
      await takeRevision(sql, [id]);
      await auditEnded(sql, ended, 'server-deleted', actor);
      await appendAuditEvent(sql, { actor, action: 'server.deleted', workspace: workspace.name, targetKind: 'Server', targetId: id, targetName: name, fields: [] });
    });
    this.#publisher.nudge();
    this.#disconnections.finish();
  }

  async #change(
    reference: ServerReference, sent: unknown, toBody: (current: () => Promise<ReadableServer>) => unknown, ifMatch: string | undefined, actor: ServerAuthor,
  ): Promise<ReadableServer> {
    refuse(await plainTokenUrl(sent, this.#guard));
    const tools = await this.#importForChange(reference, sent, toBody, ifMatch, actor);
    const members = await this.#findChangedCollisions(reference, sent, toBody);
    const clients = await this.#revokingClients(reference);
    const changed = await this.#database.transaction(async (sql) => {
      const workspace = await findWorkspace(sql, reference.workspace);
      // Locked: of two changes with the same If-Match, the second sees the first one's revision.
      const row = await findServer(sql, workspace.id, reference.idOrName, true);
      requireMatch(ifMatch, row);
      const stored = await listSecrets(sql, 'servers', [row.id]);
      // Only where it is needed: what this release does not take can be replaced all the same.
      const current = async () => presentServer(row, stored, await this.#presentContext(sql, workspace.id));
      const written = readWrittenServer(await toBody(current), this.#writeContext(workspace, stored.map(({ field }) => field), row.document));
      const fields = changedFields(row.document, written.document, written.secrets);
      if (fields.length === 0) return await current();
      requireRole(actor, administratorsOnly(row.document, written.document));
      refuse(secretsToGiveAgain(row.document, written));
      refuse([...(await memberProblems(sql, workspace.id, written.document)), ...members.problems]);

      await updateServer(sql, { id: row.id, name: written.name, document: written.document, revision: row.revision });
      await this.#store(sql, workspace.id, row.id, written.secrets);
      await storeTools(sql, { id: row.id, before: row.document, after: written.document, stored: row.tools, imported: tools });
      // What was given for one upstream goes to no other.
      const ended = isDiscoveredElsewhere(row.document, written.document) ? await this.#disconnections.end(sql, { owner: row.id }, clients) : [];
      const change = { action: 'server.changed', actor, workspace, id: row.id, name: written.name, fields };
      const concluded = await this.#conclude(sql, change, { before: row, kept: written.secrets.kept.size });
      await auditEnded(sql, ended, 'server-changed', actor);
      return concluded;
    });
    this.#publisher.nudge();
    this.#disconnections.finish();
    return this.#withFetchedWarnings(changed, members.warnings);
  }

  /** Others are asked before the transaction, so that none waits for them; what is wrong with the document itself is said first. */
  async #importForNew(workspaceReference: string, body: unknown, id: string, actor: ServerAuthor): Promise<ServerTools | undefined> {
    if (!mayHaveTools(body)) return undefined;
    const workspace = await findWorkspace(this.#database.sql, workspaceReference);
    const written = readWrittenServer(body, this.#writeContext(workspace, []));
    requireRole(actor, administratorsOnly(undefined, written.document));
    const now = new Date();
    return this.#imports.import(written, { id, workspaceId: workspace.id, workspace: workspace.name, name: written.name, document: written.document, revision: 0, createdAt: now, updatedAt: now, tools: null });
  }

  /** Nothing where the tools stay as they are; the transaction looks again whether they do. */
  async #importForChange(
    { workspace: workspaceReference, idOrName }: ServerReference, sent: unknown, toBody: (current: () => Promise<ReadableServer>) => unknown, ifMatch: string | undefined, actor: ServerAuthor,
  ): Promise<ServerTools | undefined> {
    const { sql } = this.#database;
    const workspace = await findWorkspace(sql, workspaceReference);
    const row = await findServer(sql, workspace.id, idOrName);
    if (!mayHaveTools(sent) && !isApi(row.document)) return undefined;
    requireMatch(ifMatch, row);
    const stored = await listSecrets(sql, 'servers', [row.id]);
    const body = await toBody(async () => presentServer(row, stored, await this.#presentContext(sql, workspace.id)));
    const written = readWrittenServer(body, this.#writeContext(workspace, stored.map(({ field }) => field), row.document));
    const importKey = importKeyOf(written.document);
    if (importKey === undefined || importKey === row.tools?.importKey) return undefined;
    requireRole(actor, administratorsOnly(row.document, written.document));
    refuse(secretsToGiveAgain(row.document, written));
    return this.#imports.import(written, { ...row, document: written.document });
  }

  /** Others are asked after the transaction, so that none waits for them. */
  async #withFetchedWarnings(server: ReadableServer, more: readonly Warning[]): Promise<ReadableServer> {
    const warned = await withKeySetWarnings(await withIssuerWarnings(server, this.#issuers), this.#guard);
    return { ...warned, warnings: [...warned.warnings, ...more] };
  }

  /** Members are asked before the transaction, so that none waits for them. */
  async #findCollisions(workspace: string, body: unknown, before?: ServerRow): Promise<MemberFindings> {
    const { data } = writableServer.safeParse(body);
    return data?.type === 'virtual' ? this.#members.findCollisions(workspace, data, before?.document) : { problems: [], warnings: [] };
  }

  async #findChangedCollisions({ workspace: workspaceReference, idOrName }: ServerReference, sent: unknown, toBody: (current: () => Promise<ReadableServer>) => unknown): Promise<MemberFindings> {
    const { sql } = this.#database;
    const workspace = await findWorkspace(sql, workspaceReference);
    const row = await findServer(sql, workspace.id, idOrName);
    if (!isVirtual(row.document) && !(typeof sent === 'object' && sent !== null && 'type' in sent && sent.type === 'virtual')) return { problems: [], warnings: [] };
    const body = await toBody(async () => presentServer(row, await listSecrets(sql, 'servers', [row.id]), await this.#presentContext(sql, workspace.id)));
    return this.#findCollisions(workspaceReference, body, row);
  }

  /** For the connections of a server that was discovered; before the transaction that may end them. */
  async #revokingClients({ workspace, idOrName }: ServerReference): Promise<RevokingClients> {
    const { sql } = this.#database;
    const { id } = await findServer(sql, (await findWorkspace(sql, workspace)).id, idOrName);
    return this.#disconnections.prepare({ owner: id });
  }

  async #store(sql: Sql, workspaceId: string, id: string, plan: SecretPlan): Promise<void> {
    const owner = { workspaceId, table: 'servers', id };
    await deleteSecrets(sql, owner, plan.removed);
    if (plan.set.size === 0) return;
    await writeSecrets(sql, await this.#vault.sealingRing(sql, workspaceId, plan.set.size), owner, plan.set);
  }

  /** Revision and audit event, which every change ends with, and what the caller gets to see. */
  async #conclude(
    sql: Sql,
    change: { action: string; actor: ChangeAuthor; workspace: WorkspaceRow; id: string; name: string; fields: readonly string[] },
    former?: { before: ServerRow; kept: number },
  ): Promise<ReadableServer> {
    const { action, actor, workspace, id, name, fields } = change;
    const revision = await takeRevision(sql, [id]);
    await sql('update servers set revision = $2 where id = $1', [id, revision]);
    await appendAuditEvent(sql, { actor, action, workspace: workspace.name, targetKind: 'Server', targetId: id, targetName: name, fields });
    const row = await findServer(sql, workspace.id, id);
    return this.#present(sql, row, former ? changeWarnings(former.before.document, row.document, former.kept) : []);
  }

  async #present(sql: Sql, row: ServerRow, warnings: ReturnType<typeof changeWarnings> = []): Promise<ReadableServer> {
    return presentServer(row, await listSecrets(sql, 'servers', [row.id]), await this.#presentContext(sql, row.workspaceId), warnings);
  }

  async #presentContext(sql: Sql, workspaceId: string): Promise<PresentContext> {
    const { policy } = await readKnownPolicy(sql, environmentPolicyOf(this.#settings));
    return { dataPlaneUrl: this.#settings.DATA_PLANE_URL, policy, surroundings: await readSurroundings(sql, workspaceId) };
  }

  #writeContext(workspace: WorkspaceRow, storedSecrets: readonly string[], stored?: StoredDocument) {
    return { workspace: workspace.name, storedSecrets, storedTools: storedToolsOf(stored), openServersAllowed: this.#settings.OPEN_SERVERS };
  }
}

/** Of a document as it was sent, or a part of one. */
const mayHaveTools = (sent: unknown): boolean => typeof sent === 'object' && sent !== null && 'type' in sent && sent.type === 'api';

/** @throws GatewayError forbidden */
function requireRole({ name, role }: ServerAuthor, problems: readonly Problem[]): void {
  if (problems.length > 0 && !isAtLeast(role, 'admin')) throw new GatewayError('forbidden', { detail: `${name} is no administrator`, problems });
}

/** @throws GatewayError validation_failed */
function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new GatewayError('validation_failed', { problems });
}
