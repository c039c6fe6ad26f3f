import { type AuthorizationServerDocument, authorizationServerId } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';
import { readRevocations } from './revocations.store.ts';
import { readPublicKeys } from './signing-keys.store.ts';
import { readSuspendedProviders } from './suspended-providers.store.ts';

/** What data planes verify access tokens with. */
export async function readAuthorizationServer(sql: Sql, issuer: string): Promise<AuthorizationServerDocument> {
  const keys = await readPublicKeys(sql);
  return { kind: 'authorization-server', id: authorizationServerId, issuer, jwks: { keys }, revoked: await readRevocations(sql), suspendedProviders: await readSuspendedProviders(sql) };
}
