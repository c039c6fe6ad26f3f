import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { type KeyRing, UnsealError } from '@gatehouse/sealing';
import type { Sql } from '../database/sql.ts';
import { type DataKeyRow, insertFirstKey, readUsableKeys, type UsableKeyRow, useActiveKey, type WrappedKey } from './data-keys.store.ts';
import type { KeyPlace } from './root-keys/root-key.ts';
import type { RootKeys } from './root-keys/root-keys.ts';
import { everyReplicaOpens } from './vault-replicas.store.ts';

/** Owner of the data key for what belongs to no workspace. */
export const gatewayItself = '00000000-0000-0000-0000-000000000000';

const firstTerm = 1;
const maxCached = 100_000;
/** A key management service is asked for so many keys at once. */
const unwrapsAtOnce = 16;

export interface VaultUse {
  seals: number;
  openings: number;
  /** Keys that were not at hand. */
  unwrapped: number;
  unwrapFailures: number;
}

/** Gives out data keys, unwrapped, as rings that `seal` and `unseal` take. */
export class Vault {
  readonly rootKeys: RootKeys;
  // By wrapped key and not by term: a rolled back or restored database never meets a key that it does not hold. What is here is not
  // asked for again: while a key management service is away, the keys in use stay usable.
  readonly #unwrapped = new Map<string, KeyObject>();
  readonly #unwrapping = new Map<string, Promise<KeyObject>>();

  /** Since the start. */
  readonly use: VaultUse = { seals: 0, openings: 0, unwrapped: 0, unwrapFailures: 0 };

  constructor(rootKeys: RootKeys) {
    this.rootKeys = rootKeys;
  }

  /**
   * A ring that seals `seals` values; part of the transaction that stores them. The first use makes the first key.
   * @throws GatewayError vault_kms_unavailable, vault_kms_refused
   */
  async sealingRing(sql: Sql, workspaceId: string, seals: number): Promise<KeyRing> {
    const active =
      (await useActiveKey(sql, workspaceId, seals)) ??
      // The key it waited for was demoted meanwhile; a new statement sees the one that took its place.
      (await useActiveKey(sql, workspaceId, seals)) ??
      (await this.#useFirstKey(sql, workspaceId, seals));
    this.use.seals += seals;
    return this.#ringOf(workspaceId, [active]);
  }

  /** A ring that opens everything the workspace has sealed. Ask for it after the values were read: it has the keys of what it is given. */
  async openingRing(sql: Sql, workspaceId: string): Promise<KeyRing> {
    const rows = await readUsableKeys(sql, workspaceId);
    this.use.openings += 1;
    // Nobody waits for a key that nothing is sealed under, least of all while a key management service is away: it is unwrapped aside.
    return this.#ringOf(workspaceId, rows.filter((row) => !row.isStaged || this.#unwrapped.has(cacheKey(workspaceId, row))));
  }

  /** A new random data key, wrapped so that every replica opens it. */
  async makeDataKey(sql: Sql, place: KeyPlace): Promise<WrappedKey> {
    const { current, before, isBeingReplaced } = this.rootKeys;
    const rootKey = !isBeingReplaced || (await everyReplicaOpens(sql, current.id)) ? current : before;
    return { term: place.term, root: rootKey.id, wrapped: await rootKey.wrap(place, randomBytes(32)) };
  }

  /**
   * Unwraps keys ahead of their use. @returns those that no root key opens
   * @throws GatewayError vault_kms_unavailable, vault_kms_refused
   */
  async load(rows: readonly UsableKeyRow[]): Promise<UsableKeyRow[]> {
    const wrong: UsableKeyRow[] = [];
    const waiting = rows.values();
    const work = async (): Promise<void> => {
      for (const row of waiting) {
        await this.#unwrap(row.workspaceId, row).catch((error: unknown) => {
          if (!(error instanceof UnsealError)) throw error;
          wrong.push(row);
        });
      }
    };
    await Promise.all(Array.from({ length: unwrapsAtOnce }, work));
    return wrong;
  }

  /** What is unwrapped at the moment, to be given to `forgetAllBut`. */
  get loaded(): ReadonlySet<string> {
    return new Set(this.#unwrapped.keys());
  }

  /** Keys that were destroyed do not stay in memory. `loaded` is as it was before `rows` were read. */
  forgetAllBut(rows: readonly UsableKeyRow[], loaded: ReadonlySet<string>): void {
    const usable = new Set(rows.map((row) => cacheKey(row.workspaceId, row)));
    for (const key of loaded) if (!usable.has(key)) this.#unwrapped.delete(key);
  }

  async #useFirstKey(sql: Sql, workspaceId: string, seals: number): Promise<DataKeyRow> {
    await insertFirstKey(sql, workspaceId, await this.makeDataKey(sql, { workspaceId, term: firstTerm }));
    const active = await useActiveKey(sql, workspaceId, seals);
    if (!active) throw new GatewayError('internal', { detail: `workspace ${workspaceId} has no active data key` });
    return active;
  }

  async #ringOf(workspaceId: string, rows: readonly DataKeyRow[]): Promise<KeyRing> {
    const keys = await Promise.all(rows.map(async (row) => [row.term, await this.#unwrap(workspaceId, row)] as const));
    return { activeTerm: rows.at(-1)?.term ?? firstTerm, keys: new Map(keys) };
  }

  async #unwrap(workspaceId: string, row: DataKeyRow): Promise<KeyObject> {
    const name = cacheKey(workspaceId, row);
    const known = this.#unwrapped.get(name) ?? this.#unwrapping.get(name);
    if (known) return known;
    const unwrapping = this.rootKeys.unwrap({ workspaceId, term: row.term }, row.wrapped, row.root).then(createSecretKey);
    this.#unwrapping.set(name, unwrapping);
    try {
      const key = await unwrapping;
      this.use.unwrapped += 1;
      this.#keep(name, key);
      return key;
    } catch (error) {
      this.use.unwrapFailures += 1;
      throw error;
    } finally {
      this.#unwrapping.delete(name);
    }
  }

  #keep(name: string, key: KeyObject): void {
    const [oldest] = this.#unwrapped.keys();
    if (oldest !== undefined && this.#unwrapped.size >= maxCached) this.#unwrapped.delete(oldest);
    this.#unwrapped.set(name, key);
  }
}

const cacheKey = (workspaceId: string, { term, wrapped }: DataKeyRow): string => `${workspaceId}/${term}/${wrapped.toString('base64')}`;
