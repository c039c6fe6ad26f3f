import { GatewayError } from '@gatehouse/errors';
import type { ClientAuthentication } from '@gatehouse/oauth-client';
import type { ResolvedApp } from '@gatehouse/app-catalog';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Apps, type UsableApp } from '../apps/apps.service.ts';
import { Database } from '../database/database.ts';
import { ConnectionClients } from './connection-clients.service.ts';
import { ConnectionEgress } from './connection-egress.service.ts';
import type { OwnerClient } from './connection.ts';

/** Us as the client that an admin registered. */
@Injectable()
export class AppClients implements OnModuleInit {
  readonly #database: Database;
  readonly #apps: Apps;
  readonly #egress: ConnectionEgress;
  readonly #clients: ConnectionClients;

  constructor(database: Database, apps: Apps, egress: ConnectionEgress, clients: ConnectionClients) {
    this.#database = database;
    this.#apps = apps;
    this.#egress = egress;
    this.#clients = clients;
  }

  onModuleInit(): void {
    this.#clients.provide('app', (id) => this.of(id));
  }

  /** @throws GatewayError connection_misconfigured, vault_sealed_value_unreadable */
  async of(id: string): Promise<OwnerClient> {
    const { sql } = this.#database;
    const [row] = await sql<{ workspaceId: string }>('select workspace_id as "workspaceId" from apps where id = $1', [id]);
    const found = row && (await this.#apps.resolve(sql, row.workspaceId, id));
    if (!found) throw new GatewayError('connection_misconfigured', { detail: `there is no app ${id}` });
    return this.from(found);
  }

  /** Of an app as it was read: what is asked of one provider is not answered to another. */
  from({ app, title }: UsableApp): OwnerClient {
    const { issuer, tokenUrl, refreshUrl, revocationUrl, clientId, tokenParameters, resource, scopeSeparator, tokensAt, tokenRequest, revocation, refresh } = app;
    const authentication = authenticationOf(app);
    return {
      title,
      client: { issuer, tokenUrl, refreshUrl, revocationUrl, clientId, authentication, tokenParameters, resource, scopeSeparator, tokensAt, tokenRequest, revocation, fetch: this.#egress.fetch },
      refresh,
    };
  }
}

function authenticationOf({ clientAuth, clientSecret }: ResolvedApp): ClientAuthentication {
  return clientAuth === 'none' || !clientSecret ? { method: 'none' } : { method: clientAuth, secret: clientSecret };
}
