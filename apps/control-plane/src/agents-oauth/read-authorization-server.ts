import { type AuthorizationServerDocument, authorizationServerId } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';
import { readRevocations } from './revocations.store.ts';
import { accessTokenKeys } from './signing-key-uses.ts';
import { readPublicKeys } from './signing-keys.store.ts';
import { readSuspendedProviders } from './suspended-providers.store.ts';

/** What data planes verify access tokens with. */
export async function readAuthorizationServer(sql: Sql, issuer: string, registersClients: boolean): Promise<AuthorizationServerDocument> {
  const keys = await readPublicKeys(sql, accessTokenKeys.table);
  const [revoked, suspendedProviders] = [await readRevocations(sql), await readSuspendedProviders(sql)];
  return { kind: 'authorization-server', id: authorizationServerId, issuer, registersClients, jwks: { keys }, revoked, suspendedProviders };
}
