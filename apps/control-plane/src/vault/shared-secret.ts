import { randomBytes } from 'node:crypto';
import { seal, sealedTerm } from '@gatehouse/sealing';
import { GatewayError } from '@gatehouse/errors';
import type { Sql } from '../database/sql.ts';
import { openSecret, readSealedSecrets, type SecretOwner, secretContext } from './secrets.store.ts';
import { gatewayItself, type Vault } from './vault.ts';

const owner: SecretOwner = { workspaceId: gatewayItself, table: 'vault', id: gatewayItself };
const field = 'shared-secret';

/**
 * 32 random bytes that all replicas share, to derive keys of (HKDF, a purpose each). Made at its first use, and sealed like any other
 * secret: it outlives data keys and root keys.
 */
export async function sharedSecret(sql: Sql, vault: Vault): Promise<Buffer> {
  const stored = await readStored(sql, vault);
  if (stored) return stored;
  const sealed = seal(await vault.sealingRing(sql, gatewayItself, 1), secretContext(owner, field), randomBytes(32).toString('base64'));
  await sql(
    `insert into secrets (workspace_id, owner_table, owner_id, field, sealed, key_term) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [owner.workspaceId, owner.table, owner.id, field, sealed, sealedTerm(sealed)],
  );
  // Of two that make it at once, one has.
  const made = await readStored(sql, vault);
  if (!made) throw new GatewayError('internal', { detail: 'the shared secret was not stored' });
  return made;
}

async function readStored(sql: Sql, vault: Vault): Promise<Buffer | undefined> {
  const [row] = await readSealedSecrets(sql, owner.table, [owner.id]);
  return row && Buffer.from(openSecret(await vault.openingRing(sql, gatewayItself), owner, row), 'base64');
}
