import type { KeyObject } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import type { KeyRing } from '@gatehouse/sealing';
import type { Sql } from '../database/sql.ts';
import { type DataKeyRow, insertFirstKey, readUsableKeys, useActiveKey } from './data-keys.store.ts';
import type { RootKey } from './root-key.ts';

/** Owner of the data key for what belongs to no workspace. */
export const gatewayItself = '00000000-0000-0000-0000-000000000000';

const firstTerm = 1;
const maxCached = 10_000;

/** Gives out data keys, unwrapped, as rings that `seal` and `unseal` take. */
export class Vault {
  readonly #rootKey: RootKey;
  // By wrapped key and not by term: a rolled back or restored database never meets a key that it does not hold.
  readonly #unwrapped = new Map<string, KeyObject>();

  constructor(rootKey: RootKey) {
    this.#rootKey = rootKey;
  }

  /** A ring that seals `seals` values; part of the transaction that stores them. The first use makes the first key. */
  async sealingRing(sql: Sql, workspaceId: string, seals: number): Promise<KeyRing> {
    let active = await useActiveKey(sql, workspaceId, seals);
    if (!active) {
      await insertFirstKey(sql, workspaceId, { term: firstTerm, wrapped: this.#rootKey.makeDataKey(workspaceId, firstTerm) });
      active = await useActiveKey(sql, workspaceId, seals);
    }
    if (!active) throw new GatewayError('internal', { detail: `workspace ${workspaceId} has no active data key` });
    return this.#ringOf(workspaceId, [active]);
  }

  /** A ring that opens everything the workspace has sealed. */
  async openingRing(sql: Sql, workspaceId: string): Promise<KeyRing> {
    return this.#ringOf(workspaceId, await readUsableKeys(sql, workspaceId));
  }

  #ringOf(workspaceId: string, rows: readonly DataKeyRow[]): KeyRing {
    const keys = new Map(rows.map((row) => [row.term, this.#unwrap(workspaceId, row)] as const));
    return { activeTerm: rows.at(-1)?.term ?? firstTerm, keys };
  }

  #unwrap(workspaceId: string, { term, wrapped }: DataKeyRow): KeyObject {
    const cacheKey = `${workspaceId}/${term}/${wrapped.toString('base64')}`;
    const known = this.#unwrapped.get(cacheKey);
    if (known) return known;
    if (this.#unwrapped.size >= maxCached) this.#unwrapped.clear();
    const key = this.#rootKey.unwrap(workspaceId, term, wrapped);
    this.#unwrapped.set(cacheKey, key);
    return key;
  }
}
