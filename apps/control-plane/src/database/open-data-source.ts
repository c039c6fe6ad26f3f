import type { Secret } from '@gatehouse/sealing';
import type { Logger } from '@gatehouse/service-runtime';
import { DataSource } from 'typeorm';
import { Initial1763712000000 } from './migrations/1763712000000-initial.ts';
import { HeaderPolicy1763798400000 } from './migrations/1763798400000-header-policy.ts';
import { AgentsOAuth1763884800000 } from './migrations/1763884800000-agents-oauth.ts';
import { People1763888400000 } from './migrations/1763888400000-people.ts';
import { Apps1763890200000 } from './migrations/1763890200000-apps.ts';
import { Connections1763892000000 } from './migrations/1763892000000-connections.ts';
import { KeyRotation1763899200000 } from './migrations/1763899200000-key-rotation.ts';
import { OneProviderPerIssuer1763902800000 } from './migrations/1763902800000-one-provider-per-issuer.ts';
import { WorkspaceAccess1763906400000 } from './migrations/1763906400000-workspace-access.ts';
import { DiscoveredServers1763908200000 } from './migrations/1763908200000-discovered-servers.ts';
import { ProviderChecks1763911800000 } from './migrations/1763911800000-provider-checks.ts';
import { Credentials1763915400000 } from './migrations/1763915400000-credentials.ts';
import { FormerClients1763919000000 } from './migrations/1763919000000-former-clients.ts';
import { IdentitySigningKeys1763922600000 } from './migrations/1763922600000-identity-signing-keys.ts';
import { ServerTools1763926200000 } from './migrations/1763926200000-server-tools.ts';
import { CallEvents1763929800000 } from './migrations/1763929800000-call-events.ts';

/** Bounds, so that a database that accepts connections and says nothing costs each caller seconds and not for ever. */
const connectTimeoutMs = 5_000;
const statementTimeoutMs = 10_000;
// Longer than the server's own, whose error is the clearer one.
const answerTimeoutMs = statementTimeoutMs + 2_000;

export interface DataSourceOptions {
  readonly url: Secret;
  readonly poolSize: number;
  readonly logger?: Logger;
  /** For migrations, which may take their time. */
  readonly unbounded?: boolean;
}

/** A data source that is not connected yet. */
export function openDataSource({ url, poolSize, logger, unbounded = false }: DataSourceOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url: url.reveal(),
    applicationName: 'gatehouse control-plane',
    poolSize,
    connectTimeoutMS: connectTimeoutMs,
    parseInt8: true,
    installExtensions: false,
    synchronize: false,
    logging: false,
    migrations: [Initial1763712000000, HeaderPolicy1763798400000, AgentsOAuth1763884800000, People1763888400000, Apps1763890200000, Connections1763892000000, KeyRotation1763899200000, OneProviderPerIssuer1763902800000, WorkspaceAccess1763906400000, DiscoveredServers1763908200000, ProviderChecks1763911800000, Credentials1763915400000, FormerClients1763919000000, IdentitySigningKeys1763922600000, ServerTools1763926200000, CallEvents1763929800000],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    poolErrorHandler: (error: unknown) => logger?.warn({ err: error }, 'an idle database connection broke'),
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      ...(!unbounded && {
        query_timeout: answerTimeoutMs,
        statement_timeout: statementTimeoutMs,
        lock_timeout: statementTimeoutMs / 2,
        idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
      }),
    },
  });
}
