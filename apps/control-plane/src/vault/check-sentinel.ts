import { GatewayError } from '@gatehouse/errors';
import { UnsealError } from '@gatehouse/sealing';
import type { Database } from '../database/database.ts';
import { sentinelPlace } from './root-keys/root-key.ts';
import type { RootKeys } from './root-keys/root-keys.ts';

const sentinelText = Buffer.from('gatehouse vault');

const explain = (setting: string): string =>
  setting.startsWith('GATEHOUSE_VAULT_KMS')
    ? `The key that ${setting} names is not the one this database was set up with, or it is not there. Name the one that it was set up with, ` +
      'or point GATEHOUSE_DATABASE_URL at the database that belongs to it. Nothing was changed.'
    : `${setting} is not the key this database was set up with. Give it the 32-byte key (base64 or hex) that was set at ` +
      'the first start, or point GATEHOUSE_DATABASE_URL at the database that belongs to this key. Nothing was changed.';

/**
 * Wraps a sentinel at the first start, and unwraps it at every later one, so that a wrong key is noticed before anything is
 * sealed with it.
 * @throws GatewayError vault_key_wrong, vault_kms_unavailable, vault_kms_refused
 */
export async function checkSentinel(database: Database, rootKeys: RootKeys): Promise<void> {
  const { current } = rootKeys;
  if (!(await readSentinel(database))) {
    // With a key before it, the sentinel is one that every replica opens.
    const wrapped = await rootKeys.before.wrap(sentinelPlace, sentinelText);
    await database.sql('insert into vault_sentinel (id, sealed) values (1, $1) on conflict do nothing', [wrapped]);
  }
  const sentinel = await readSentinel(database);
  if (!sentinel) throw new GatewayError('internal', { detail: 'the vault has no sentinel' });
  try {
    await rootKeys.unwrap(sentinelPlace, sentinel);
  } catch (cause) {
    if (cause instanceof UnsealError) throw new GatewayError('vault_key_wrong', { detail: explain(current.setting), cause });
    throw cause;
  }
}

/** Wraps the sentinel under the current root key where another one did. @returns whether it did */
export async function renewSentinel(database: Database, rootKeys: RootKeys): Promise<boolean> {
  const sentinel = await readSentinel(database);
  if (!sentinel || (await isOpenedBy(rootKeys, sentinel))) return false;
  const wrapped = await rootKeys.current.wrap(sentinelPlace, sentinelText);
  await database.sql('update vault_sentinel set sealed = $1 where id = 1 and sealed = $2', [wrapped, sentinel]);
  return true;
}

async function isOpenedBy({ current }: RootKeys, sentinel: Buffer): Promise<boolean> {
  try {
    await current.unwrap(sentinelPlace, sentinel);
    return true;
  } catch (error) {
    if (error instanceof UnsealError) return false;
    throw error;
  }
}

async function readSentinel(database: Database): Promise<Buffer | undefined> {
  const [row] = await database.sql<{ sealed: Buffer }>('select sealed from vault_sentinel where id = 1');
  return row?.sealed;
}
