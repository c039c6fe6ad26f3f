import { createHash } from 'node:crypto';
import { seal, sealedTerm, unseal } from '@gatehouse/sealing';
import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { gatewayItself, Vault } from '../vault/vault.ts';
import { lifetimes } from './lifetimes.ts';
import { consumeState, deleteState, findState, insertState, type NewState, presentAgain, putState, type StateKey, supersedeOthers } from './oauth-state.store.ts';

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

const context = ({ model, idHash }: StateKey) => [gatewayItself, 'oauth_state', model, idHash.toString('base64url'), 'payload'] as const;

/** What the authorization server keeps between two requests, sealed, where every replica finds it. */
@Injectable()
export class OAuthState {
  readonly #database: Database;
  readonly #vault: Vault;

  constructor(database: Database, vault: Vault) {
    this.#database = database;
    this.#vault = vault;
  }

  async put(state: WrittenState): Promise<void> {
    await putState(this.#database.sql, await this.#sealed(this.#database.sql, state));
  }

  /** @returns false where it is there already */
  async insert(state: WrittenState): Promise<boolean> {
    return insertState(this.#database.sql, await this.#sealed(this.#database.sql, state));
  }

  async find(model: string, id: string, sql = this.#database.sql): Promise<KeptState | undefined> {
    const key = stateKey(model, id);
    const row = await findState(sql, key);
    if (!row) return undefined;
    const opened = unseal(await this.#vault.openingRing(sql, gatewayItself), context(key), row.sealed);
    return { payload: JSON.parse(opened.toString('utf8')) as Payload, consumedAt: row.consumedAt };
  }

  /** Of any number that consume one at once, one does. @returns whether it was this one */
  async consume(model: string, id: string): Promise<boolean> {
    return (await consumeState(this.#database.sql, stateKey(model, id))) !== undefined;
  }

  /** A new refresh token, in the place of those that its grant had. */
  async putRefreshToken(state: WrittenState & { readonly grantId: string }): Promise<void> {
    await this.#database.transaction(async (sql) => {
      await supersedeOthers(sql, state.grantId, stateKey(state.model, state.id));
      await putState(sql, await this.#sealed(sql, state));
    });
  }

  /** @returns whether a refresh token that was used may be used once more */
  presentAgain(id: string, clientId: string): Promise<boolean> {
    return this.#database.transaction((sql) => presentAgain(sql, stateKey('RefreshToken', id), clientId, lifetimes.refreshTokenGrace));
  }

  async delete(model: string, id: string): Promise<void> {
    await deleteState(this.#database.sql, stateKey(model, id));
  }

  async #sealed(sql: Sql, { model, id, payload, grantId, clientId, lifeSeconds }: WrittenState): Promise<NewState> {
    const key = stateKey(model, id);
    const sealed = seal(await this.#vault.sealingRing(sql, gatewayItself, 1), context(key), JSON.stringify(payload));
    return { ...key, grantId: grantId ?? null, clientId: clientId ?? null, sealed, keyTerm: sealedTerm(sealed), lifeSeconds: lifeSeconds ?? null };
  }
}
