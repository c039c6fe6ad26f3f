import type { Logger } from '@gatehouse/service-runtime';
import type { Provider } from '@nestjs/common';
import { loggerToken } from '../control-plane-parts.ts';
import { Database } from '../database/database.ts';
import { Metrics } from '../health/metrics.ts';
import { Vault } from '../vault/vault.ts';
import { AppClients } from './app-clients.service.ts';
import { CallerIssuers } from './broker/caller-issuers.service.ts';
import { CredentialBroker } from './broker/credential-broker.service.ts';
import { LoginBroker } from './broker/login-broker.service.ts';
import { TokenBroker } from './broker/token-broker.service.ts';
import { ConnectLinks } from './connect-links.service.ts';
import { ConnectionClients } from './connection-clients.service.ts';
import { ConnectionEgress } from './connection-egress.service.ts';
import { Connections } from './connections.service.ts';
import { Disconnections } from './disconnect/disconnections.service.ts';
import { RevokeAtProviders } from './disconnect/revoke-at-providers.service.ts';
import { LoginClients } from './login-clients.service.ts';
import { ManageConnections } from './manage-connections.service.ts';
import { ConnectionRefresher } from './refresh/connection-refresher.ts';
import { RefreshAhead } from './refresh/refresh-ahead.service.ts';
import { TokenSeals } from './token-seals.ts';

const refresher: Provider = {
  provide: ConnectionRefresher,
  inject: [Database, Vault, TokenSeals, ConnectionClients, Metrics, loggerToken],
  useFactory: (database: Database, vault: Vault, seals: TokenSeals, clients: ConnectionClients, metrics: Metrics, logger: Logger) =>
    new ConnectionRefresher({ database, vault, seals, clients, metrics, logger }),
};

/** What keeps connections, refreshes them, gives out their tokens and ends them. */
export const connectionProviders: readonly Provider[] = [
  TokenSeals, ConnectionClients, ConnectionEgress, AppClients, LoginClients, refresher, RefreshAhead, ConnectLinks, Connections, RevokeAtProviders, Disconnections,
  ManageConnections, CredentialBroker, LoginBroker, CallerIssuers, TokenBroker,
];
