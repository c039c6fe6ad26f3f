import { diffOperations } from '@gatehouse/api-tools';
import { GatewayError, type Problem } from '@gatehouse/errors';
import { keptSourceIn, takeSource, withSource } from '@gatehouse/gateway-config';
import { Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../../audit/append-audit-event.ts';
import { Database } from '../../database/database.ts';
import type { ChangeAuthor } from '../../http/actor.ts';
import { requireMatch } from '../../http/entity-tag.ts';
import { parseDocument } from '../../http/parse-document.ts';
import { takeRevision } from '../../snapshots/revisions.store.ts';
import { SnapshotPublisher } from '../../snapshots/snapshot-publisher.service.ts';
import { listSecrets } from '../../vault/secrets.store.ts';
import { findWorkspace } from '../../workspaces/workspaces.store.ts';
import type { ServerReference } from '../servers.service.ts';
import { findServer, type ServerRow, updateServer } from '../servers.store.ts';
import { editedTools, isApi, storedToolsOf, toolsOf } from './complete-tools.ts';
import { type EditOutcome, findServerTools, type ServerTools, writeServerTools } from './server-tools.store.ts';
import { editOutcomeOf } from './store-tools.ts';
import { reimportInput, type SourceOfTools, type ToolsDiff } from './tool-import.dto.ts';
import { ToolImports } from './tool-imports.service.ts';

export interface Reimported {
  readonly diff: ToolsDiff;
  /** As it is now. */
  readonly row: ServerRow;
}

/** Tools read again from where they came from: what would change, and the change. */
@Injectable()
export class Reimports {
  readonly #database: Database;
  readonly #imports: ToolImports;
  readonly #publisher: SnapshotPublisher;

  constructor(database: Database, imports: ToolImports, publisher: SnapshotPublisher) {
    this.#database = database;
    this.#imports = imports;
    this.#publisher = publisher;
  }

  /** @throws GatewayError not_found, server_not_found, validation_failed, precondition_required, precondition_failed, conflict */
  async reimport({ workspace: workspaceReference, idOrName }: ServerReference, body: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<Reimported> {
    const { sql } = this.#database;
    const { apply = false, document } = parseDocument(reimportInput, body ?? {});
    const workspace = await findWorkspace(sql, workspaceReference);
    const row = await findServer(sql, workspace.id, idOrName);
    if (apply) requireMatch(ifMatch, row);
    const to = reimportable(row, document);
    const [was, imported] = await Promise.all([findServerTools(sql, row.id), this.#import(to, document)]);
    const diff = diffOf(to, was, imported);
    const isSame = was !== undefined && was.sourceDigest === imported.sourceDigest && diff.added.length + diff.removed.length + diff.changed.length === 0;
    // Before it is told to: what it would refuse then it refuses now.
    const outcome = isSame ? undefined : editOutcomeOf(to.document, imported.operations);
    if (!apply || outcome === undefined) return { diff: { ...diff, applied: apply }, row };
    const changed = await this.#database.transaction(async (transaction) => {
      const locked = await findServer(transaction, workspace.id, row.id, true);
      if (locked.revision !== row.revision) throw new GatewayError('conflict', { detail: 'the server was changed during its import' });
      const revision = await this.#store(transaction, to, { ...imported, outcome }, actor);
      return { ...(await findServer(transaction, workspace.id, row.id)), revision };
    });
    this.#publisher.nudge();
    return { diff: { ...diff, applied: true }, row: changed };
  }

  /** @throws GatewayError not_found where the document itself has none */
  async source({ workspace: workspaceReference, idOrName }: ServerReference): Promise<SourceOfTools> {
    const { sql } = this.#database;
    const { id } = await findServer(sql, (await findWorkspace(sql, workspaceReference)).id, idOrName);
    const source = (await findServerTools(sql, id))?.source;
    if (source === undefined) throw new GatewayError('not_found');
    return { source: source as SourceOfTools['source'] };
  }

  async #import(row: ServerRow, document: string | object | undefined): Promise<ServerTools> {
    const kept = new Set((await listSecrets(this.#database.sql, 'servers', [row.id])).map(({ field }) => field));
    return this.#imports.import({ name: row.name, document: row.document, secrets: { set: new Map(), kept, removed: [] }, source: document }, row);
  }

  async #store(sql: Database['sql'], row: ServerRow, { outcome, ...imported }: ServerTools & { readonly outcome: EditOutcome }, actor: ChangeAuthor): Promise<number> {
    await writeServerTools(sql, row.id, imported, outcome);
    // The revision comes last: its row is what all changes wait for.
    const revision = await takeRevision(sql, [row.id]);
    await updateServer(sql, { id: row.id, name: row.name, document: row.document, revision });
    const audited = { action: 'server.tools_imported', workspace: row.workspace, targetKind: 'Server' as const, targetId: row.id, targetName: row.name, fields: ['/tools'] };
    await appendAuditEvent(sql, { actor, ...audited });
    return revision;
  }
}

/** The server as it would be: with the document's mark where one is given. @throws GatewayError validation_failed */
function reimportable(row: ServerRow, document: string | object | undefined): ServerRow {
  const tools = storedToolsOf(row.document);
  if (!isApi(row.document)) throw refused({ pointer: '', detail: 'is no server of an API: its tools are the upstream’s own', code: 'nothing_to_import' });
  if (tools === undefined) throw new GatewayError('server_unreadable', { detail: `server ${row.id}` });
  if (tools.operations !== undefined) throw refused({ pointer: '', detail: 'has operations that are written out in its document: change that', code: 'nothing_to_import' });
  if (document === undefined) return row;
  if (keptSourceIn(tools) === undefined) throw refused({ pointer: '/document', detail: 'is for servers whose document was given itself; this one’s is read from elsewhere', code: 'not_used' });
  if (tools.graphql !== undefined && typeof document !== 'string') throw refused({ pointer: '/document', detail: 'must be text: a schema of GraphQL', code: 'invalid_type' });
  return { ...row, document: { ...row.document, tools: takeSource(withSource(tools, document)).tools } };
}

function diffOf({ document }: ServerRow, was: ServerTools | undefined, { title, version, leftOut, warnings, operations }: ServerTools): Omit<ToolsDiff, 'applied'> {
  const { added, removed, changed, unchanged } = diffOperations(was?.operations ?? [], operations);
  const { edits = [] } = toolsOf(document);
  const orphaned = editedTools(toolsOf(document), operations).orphaned.map((index) => edits[index]?.operation ?? '');
  return {
    title, version, leftOut: [...leftOut], warnings: [...warnings],
    added: [...added], removed: [...removed], changed: changed.map(({ tool, fields }) => ({ tool, fields: [...fields] })), unchanged,
    edits: { kept: edits.length - orphaned.length, orphaned },
  };
}

const refused = (problem: Problem): GatewayError => new GatewayError('validation_failed', { problems: [problem] });
