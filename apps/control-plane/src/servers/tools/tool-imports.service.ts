import type { AddressGuard } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import { completeServer, keptSourceIn, type ToolsSource, type UpstreamServerDocument } from '@gatehouse/gateway-config';
import { Secret } from '@gatehouse/sealing';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../database/database.ts';
import { Vault } from '../../vault/vault.ts';
import { openServers } from '../open-servers.ts';
import { withValues } from '../plan-secrets.ts';
import type { CompleteServer } from '../complete-servers.service.ts';
import { addressGuardToken } from '../probe/address-guard.provider.ts';
import { ProbeContexts } from '../probe/probe-contexts.service.ts';
import type { ServerRow } from '../servers.store.ts';
import type { WrittenServerDocument } from '../written-server.ts';
import { toolsOf, withTools } from './complete-tools.ts';
import { fetchSource } from './fetch-source.ts';
import { importKeyOf, introspects } from './import-key.ts';
import { introspectUpstream } from './introspect-upstream.ts';
import { pointerOfSource } from './kept-source.ts';
import { ImportProcesses } from './import-processes.ts';
import type { ImportedTools } from './read-tools.ts';
import { findServerTools, type ServerTools } from './server-tools.store.ts';

/** Where tools come from: nobody waits in a transaction for what others answer. */
@Injectable()
export class ToolImports {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #contexts: ProbeContexts;
  readonly #processes: ImportProcesses;
  readonly #guard: AddressGuard;

  constructor(database: Database, vault: Vault, contexts: ProbeContexts, processes: ImportProcesses, @Inject(addressGuardToken) guard: AddressGuard) {
    this.#database = database;
    this.#vault = vault;
    this.#contexts = contexts;
    this.#processes = processes;
    this.#guard = guard;
  }

  /**
   * The tools of a document that is about to be saved for a server, which may be none yet.
   * @throws GatewayError validation_failed
   */
  async import(written: WrittenServerDocument, server: ServerRow): Promise<ServerTools> {
    const tools = toolsOf(written.document);
    const source = written.source ?? (keptSourceIn(tools) && (await findServerTools(this.#database.sql, server.id))?.source);
    const text = introspects(written.document) ? await this.#introspect({ id: server.id, workspace: server.workspace, server: await this.#open(written, server) }) : await this.textOf(tools, source);
    return { ...(await this.#processes.read(tools, text)), importKey: importKeyOf(written.document) ?? '', source };
  }

  /** What is read for a source that does not ask the upstream. `given`: what a document itself had. @throws GatewayError validation_failed */
  async textOf(tools: ToolsSource, given: string | object | undefined): Promise<string | object> {
    const url = tools.openapi?.url ?? tools.graphql?.url;
    if (url !== undefined) return fetchSource(url, this.#guard, pointerOfSource(tools));
    return tools.operations ?? given ?? '';
  }

  /** For a preview of what is stored nowhere. @throws GatewayError validation_failed */
  async preview(tools: ToolsSource, given: string | object | undefined, asked: CompleteServer | undefined): Promise<ImportedTools> {
    return this.#processes.read(tools, asked === undefined ? await this.textOf(tools, given) : await this.#introspect(asked));
  }

  /** As nobody: the gateway's own credentials are all that there is. */
  async #introspect(asked: CompleteServer): Promise<string> {
    return introspectUpstream(asked.server, { guard: this.#guard, context: await this.#contexts.of(asked, undefined) });
  }

  /** With the secrets that were sent, those that are kept, and what its workspace's credentials hold. */
  async #open({ document, secrets }: WrittenServerDocument, server: ServerRow): Promise<UpstreamServerDocument> {
    const [opened] = await openServers(this.#database.sql, this.#vault, [{ ...server, document }]);
    if (!opened || 'error' in opened) throw opened?.error ?? new TypeError('no server was opened');
    const kept = [...opened.secrets].filter(([location]) => !secrets.removed.includes(location)).map(([location, text]) => [location, new Secret(text)] as const);
    const { data, error } = completeServer.safeParse(withTools(withValues(document, [...secrets.set, ...kept])));
    if (data?.type !== 'api') throw new GatewayError('server_unreadable', { detail: `server ${server.id}`, cause: error });
    return data;
  }
}
