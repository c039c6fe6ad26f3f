import { seal, sealedTerm } from '@gatehouse/sealing';
import type { Sql } from '../../database/sql.ts';
import { uuidV7 } from '../../database/uuid-v7.ts';
import type { Vault } from '../../vault/vault.ts';
import { insertRevocationClient, revocationClientContext } from './pending-revocations.store.ts';
import { type RevokingClient, writeClient } from './revocation-clients.ts';

/** Keeps what revoking takes of a client for as long as there is something to revoke. @returns its id */
export async function keepRevokingClient(sql: Sql, vault: Vault, workspaceId: string, client: RevokingClient): Promise<string> {
  const place = { id: uuidV7(), workspaceId };
  const sealed = seal(await vault.sealingRing(sql, workspaceId, 1), revocationClientContext(place), writeClient(client));
  await insertRevocationClient(sql, { ...place, sealed, keyTerm: sealedTerm(sealed) });
  return place.id;
}

/** Whether anything can be given back there at all. */
export const canRevoke = ({ revocation = 'none' }: RevokingClient): boolean => revocation !== 'none';
