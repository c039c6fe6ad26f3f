import { type AuthorizationServerDocument, authorizationServerId } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';
import { readRevocations } from './revocations.store.ts';
import { readPublicKeys } from './signing-keys.store.ts';

/** What data planes verify access tokens with. */
export async function readAuthorizationServer(sql: Sql, issuer: string): Promise<AuthorizationServerDocument> {
  return { kind: 'authorization-server', id: authorizationServerId, issuer, jwks: { keys: await readPublicKeys(sql) }, revoked: await readRevocations(sql) };
}
