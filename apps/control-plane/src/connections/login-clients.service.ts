import { GatewayError } from '@gatehouse/errors';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Database } from '../database/database.ts';
import { findIdentityProvider } from '../identity/providers/identity-providers.store.ts';
import { ProviderClients, tokenAuthenticationOf } from '../identity/providers/provider-clients.service.ts';
import { ConnectionClients } from './connection-clients.service.ts';
import { ConnectionEgress } from './connection-egress.service.ts';
import type { OwnerClient } from './connection.ts';

/** Us as the client of the provider that people log in at: the tokens of their sessions are refreshed like any others. */
@Injectable()
export class LoginClients implements OnModuleInit {
  readonly #database: Database;
  readonly #providers: ProviderClients;
  readonly #egress: ConnectionEgress;
  readonly #clients: ConnectionClients;

  constructor(database: Database, providers: ProviderClients, egress: ConnectionEgress, clients: ConnectionClients) {
    this.#database = database;
    this.#providers = providers;
    this.#egress = egress;
    this.#clients = clients;
  }

  onModuleInit(): void {
    this.#clients.provide('identity-provider', (id) => this.of(id));
  }

  /** @throws GatewayError provider_unavailable, provider_misconfigured, connection_misconfigured */
  async of(id: string): Promise<OwnerClient> {
    const row = await findIdentityProvider(this.#database.sql, id);
    const { document, configuration } = await this.#providers.of(row);
    const { clientId, clientSecret, clientAuth, title = row.name } = document;
    const metadata = configuration.serverMetadata();
    if (metadata.token_endpoint === undefined) throw new GatewayError('connection_misconfigured', { detail: `identity provider ${row.name} has no token endpoint` });
    const authentication = { method: tokenAuthenticationOf(clientAuth, metadata), secret: clientSecret };
    return { title, client: { issuer: metadata.issuer, tokenUrl: metadata.token_endpoint, clientId, authentication, fetch: this.#egress.fetch }, refresh: { rotates: true } };
  }
}
