import { GatewayError } from '@gatehouse/errors';
import { completeServer, type UpstreamServerDocument } from '@gatehouse/gateway-config';
import { Secret } from '@gatehouse/sealing';
import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import { Vault } from '../vault/vault.ts';
import { openServers } from './open-servers.ts';
import { withValues } from './plan-secrets.ts';
import { findWorkspace } from '../workspaces/workspaces.store.ts';
import { findServer } from './servers.store.ts';
import { readImported, withTools } from './tools/complete-tools.ts';

export interface CompleteServer {
  readonly id: string;
  /** The workspace's name. */
  readonly workspace: string;
  readonly server: UpstreamServerDocument;
}

/** Servers with their secrets opened, for those parts of the control plane that call upstreams themselves. */
@Injectable()
export class CompleteServers {
  readonly #database: Database;
  readonly #vault: Vault;

  constructor(database: Database, vault: Vault) {
    this.#database = database;
    this.#vault = vault;
  }

  /** @throws GatewayError not_found, server_not_found, server_unreadable, vault_sealed_value_unreadable, no_upstream */
  async complete(workspace: string, idOrName: string): Promise<CompleteServer> {
    const { sql } = this.#database;
    const { id: workspaceId, name } = await findWorkspace(sql, workspace);
    const row = await findServer(sql, workspaceId, idOrName);
    const [opened] = await openServers(sql, this.#vault, [row]);
    if (!opened || 'error' in opened) throw opened?.error ?? new TypeError('no server was opened');
    const imported = await readImported(sql, [row]);
    const secrets = [...opened.secrets].map(([field, text]) => [field, new Secret(text)] as const);
    const { data: server, error } = completeServer.safeParse(withTools(withValues(row.document, secrets), imported.get(row.id)));
    if (server === undefined) throw new GatewayError('server_unreadable', { detail: `server ${row.id}`, cause: error });
    if (server.type === 'virtual') throw new GatewayError('no_upstream');
    return { id: row.id, workspace: name, server };
  }
}
