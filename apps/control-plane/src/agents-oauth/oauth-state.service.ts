import { createHash } from 'node:crypto';
import { seal, sealedTerm, unseal } from '@gatehouse/sealing';
import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { gatewayItself, Vault } from '../vault/vault.ts';
import { lockGrant } from './grants.store.ts';
import { lifetimes } from './lifetimes.ts';
import { consumeState, deleteState, findState, insertState, lockGrantOf, mayUseAgain, type NewState, putState, type StateKey, supersedeOthers } from './oauth-state.store.ts';

export type Payload = Readonly<Record<string, unknown>>;

export interface WrittenState {
  readonly model: string;
  readonly id: string;
  readonly payload: Payload;
  readonly grantId?: string | undefined;
  readonly clientId?: string | undefined;
  /** Absent: for ever. */
  readonly lifeSeconds?: number | undefined;
}

export interface KeptState {
  readonly payload: Payload;
  readonly consumedAt: Date | null;
}

/** Ids are bearer values: the database knows their hashes, which is enough to find what they stand for. */
export const stateKey = (model: string, id: string): StateKey => ({ model, idHash: createHash('sha256').update(id, 'utf8').digest() });

export const oauthStateContext = ({ model, idHash }: StateKey) => [gatewayItself, 'oauth_state', model, idHash.toString('base64url'), 'payload'] as const;

/** What the authorization server keeps between two requests, sealed, where every replica finds it. */
@Injectable()
export class OAuthState {
  readonly #database: Database;
  readonly #vault: Vault;

  constructor(database: Database, vault: Vault) {
    this.#database = database;
    this.#vault = vault;
  }

  async put(state: WrittenState, sql = this.#database.sql): Promise<void> {
    await putState(sql, await this.#sealed(sql, state));
  }

  /** Opens rows that were read by something else than their id. */
  async open(rows: readonly (StateKey & { readonly sealed: Buffer })[]): Promise<Payload[]> {
    const ring = await this.#vault.openingRing(this.#database.sql, gatewayItself);
    return rows.map((row) => JSON.parse(unseal(ring, oauthStateContext(row), row.sealed).toString('utf8')) as Payload);
  }

  /** @returns false where it is there already */
  async insert(state: WrittenState): Promise<boolean> {
    return insertState(this.#database.sql, await this.#sealed(this.#database.sql, state));
  }

  async find(model: string, id: string, sql = this.#database.sql): Promise<KeptState | undefined> {
    const key = stateKey(model, id);
    const row = await findState(sql, key);
    if (!row) return undefined;
    const opened = unseal(await this.#vault.openingRing(sql, gatewayItself), oauthStateContext(key), row.sealed);
    return { payload: JSON.parse(opened.toString('utf8')) as Payload, consumedAt: row.consumedAt };
  }

  /** Of any number that consume one at once, one does. @returns whether it was this one */
  async consume(model: string, id: string): Promise<boolean> {
    return (await consumeState(this.#database.sql, stateKey(model, id))) !== undefined;
  }

  /** @returns false where the grant has ended meanwhile */
  putRefreshToken(state: WrittenState & { readonly grantId: string }): Promise<boolean> {
    return this.#database.transaction(async (sql) => {
      if (!(await lockGrant(sql, state.grantId))) return false;
      await putState(sql, await this.#sealed(sql, state));
      return true;
    });
  }

  /** Whether a refresh token that was used may be used once more. */
  mayUseAgain(id: string, clientId: string): Promise<boolean> {
    return mayUseAgain(this.#database.sql, stateKey('RefreshToken', id), clientId, lifetimes.refreshTokenGrace);
  }

  /**
   * Uses a refresh token. Requests at the same moment may all use it, each for another token; the first of these to be used ends the
   * others. @returns false where it must not be used (again)
   */
  useRefreshToken(id: string, clientId: string): Promise<boolean> {
    const key = stateKey('RefreshToken', id);
    return this.#database.transaction(async (sql) => {
      const grant = await lockGrantOf(sql, key);
      if (!grant) return false;
      if (!(await consumeState(sql, key))) return mayUseAgain(sql, key, clientId, lifetimes.refreshTokenGrace);
      await supersedeOthers(sql, grant.grantId, key);
      return true;
    });
  }

  async delete(model: string, id: string): Promise<void> {
    await deleteState(this.#database.sql, stateKey(model, id));
  }

  async #sealed(sql: Sql, { model, id, payload, grantId, clientId, lifeSeconds }: WrittenState): Promise<NewState> {
    const key = stateKey(model, id);
    const sealed = seal(await this.#vault.sealingRing(sql, gatewayItself, 1), oauthStateContext(key), JSON.stringify(payload));
    return { ...key, grantId: grantId ?? null, clientId: clientId ?? null, sealed, keyTerm: sealedTerm(sealed), lifeSeconds: lifeSeconds ?? null };
  }
}
