import { GatewayError } from '@gatehouse/errors';
import { UnsealError } from '@gatehouse/sealing';
import type { Database } from '../database/database.ts';
import type { RootKey } from './root-key.ts';

const explanation =
  'GATEHOUSE_VAULT_KEY is not the key this database was set up with. Give it the 32-byte key (base64 or hex) that was set at ' +
  'the first start, or point GATEHOUSE_DATABASE_URL at the database that belongs to this key. Nothing was changed.';

/**
 * Writes a sealed sentinel at the first start, and opens it at every later one, so that a wrong key is noticed before
 * anything is sealed with it.
 * @throws GatewayError vault_key_wrong
 */
export async function checkSentinel(database: Database, rootKey: RootKey): Promise<void> {
  await database.sql('insert into vault_sentinel (id, sealed) values (1, $1) on conflict do nothing', [rootKey.sealSentinel()]);
  const [sentinel] = await database.sql<{ sealed: Buffer }>('select sealed from vault_sentinel where id = 1');
  if (!sentinel) throw new GatewayError('internal', { detail: 'the vault has no sentinel' });
  try {
    rootKey.openSentinel(sentinel.sealed);
  } catch (cause) {
    if (cause instanceof UnsealError) throw new GatewayError('vault_key_wrong', { detail: explanation, cause });
    throw cause;
  }
}
