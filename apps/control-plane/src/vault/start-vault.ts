import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import type { Database } from '../database/database.ts';
import { checkSentinel } from './check-sentinel.ts';
import { readAllUsableKeys } from './data-keys.store.ts';
import type { RootKeys } from './root-keys/root-keys.ts';
import { Vault } from './vault.ts';

export interface StartVaultOptions {
  readonly logger: Logger;
  /** Told what it waits for. */
  readonly onWaiting: (reason: string) => void;
}

const retryMs = 1_000;

/**
 * The vault with every key unwrapped, so that a key management service may go away from then on. One that is away now is waited for.
 * @throws GatewayError vault_key_wrong, vault_kms_refused
 */
export async function startVault(database: Database, rootKeys: RootKeys, { logger, onWaiting }: StartVaultOptions): Promise<Vault> {
  const vault = new Vault(rootKeys);
  for (;;) {
    try {
      await checkSentinel(database, rootKeys);
      const wrong = await vault.load(await readAllUsableKeys(database.sql));
      for (const { workspaceId, term } of wrong) logger.error({ workspaceId, term }, 'a data key cannot be unwrapped: what it sealed cannot be opened');
      return vault;
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'vault_kms_unavailable') throw error;
      onWaiting('kms');
      logger.warn({ err: error }, 'the key management service cannot be reached yet; trying again');
      await delay(retryMs);
    }
  }
}
