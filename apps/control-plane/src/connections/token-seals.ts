import { GatewayError } from '@gatehouse/errors';
import { type KeyRing, seal, Secret, sealedTerm, unseal, UnsealError } from '@gatehouse/sealing';
import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { Vault } from '../vault/vault.ts';
import type { ConnectionTokens } from './connection.ts';

/** A connection, and whose it is. */
export interface TokensPlace {
  readonly id: string;
  readonly workspaceId: string;
  readonly ownerId: string;
  readonly personId: string | null;
}

interface KnownRing {
  readonly ring: KeyRing;
  readonly readAt: number;
}

/** Where tokens are sealed to: workspace, table, row, field, and besides those of whom they are and of what: a row that is made another person's opens for nobody. */
export const tokensContext = ({ workspaceId, id, ownerId, personId }: TokensPlace) => [workspaceId, 'connections', id, ownerId, personId ?? 'shared', 'tokens'] as const;

export function sealTokens(ring: KeyRing, place: TokensPlace, { accessToken, refreshToken, idToken }: ConnectionTokens): { sealed: Buffer; keyTerm: number } {
  const sealed = seal(ring, tokensContext(place), JSON.stringify({ accessToken: accessToken.reveal(), refreshToken: refreshToken?.reveal(), idToken: idToken?.reveal() }));
  return { sealed, keyTerm: sealedTerm(sealed) };
}

/** @throws UnsealError */
export function openTokens(ring: KeyRing, row: TokensPlace & { readonly sealed: Buffer }): ConnectionTokens {
  return tokensOf(unseal(ring, tokensContext(row), row.sealed));
}

const ringLifeMs = 60_000;
const maxRings = 10_000;

/** Opens and seals the tokens of connections. Rings are kept for a while: who asks for a token waits for one query, not for two. */
@Injectable()
export class TokenSeals {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #rings = new Map<string, KnownRing>();

  constructor(database: Database, vault: Vault) {
    this.#database = database;
    this.#vault = vault;
  }

  /** @throws GatewayError vault_sealed_value_unreadable */
  async open(row: TokensPlace & { readonly sealed: Buffer }): Promise<ConnectionTokens> {
    const known = this.#rings.get(row.workspaceId);
    if (known && Date.now() < known.readAt + ringLifeMs) {
      const tokens = tryOpening(known.ring, row);
      if (tokens) return tokens;
    }
    // It was sealed under a key that is newer than what is known here, or the database was restored.
    const ring = await this.#vault.openingRing(this.#database.sql, row.workspaceId);
    if (this.#rings.size >= maxRings) this.#rings.clear();
    this.#rings.set(row.workspaceId, { ring, readAt: Date.now() });
    const tokens = tryOpening(ring, row);
    if (!tokens) throw new GatewayError('vault_sealed_value_unreadable', { detail: `the tokens of connection ${row.id}` });
    return tokens;
  }

  /** Part of the transaction that stores what is sealed. */
  async seal(sql: Sql, place: TokensPlace, tokens: ConnectionTokens): Promise<{ sealed: Buffer; keyTerm: number }> {
    return sealTokens(await this.#vault.sealingRing(sql, place.workspaceId, 1), place, tokens);
  }
}

function tryOpening(ring: KeyRing, row: TokensPlace & { readonly sealed: Buffer }): ConnectionTokens | undefined {
  try {
    return openTokens(ring, row);
  } catch (error) {
    if (error instanceof UnsealError) return undefined;
    throw error;
  }
}

function tokensOf(plaintext: Buffer): ConnectionTokens {
  const { accessToken = '', refreshToken, idToken } = JSON.parse(plaintext.toString('utf8')) as Record<string, string | undefined>;
  return { accessToken: new Secret(accessToken), refreshToken: secretOf(refreshToken), idToken: secretOf(idToken) };
}

const secretOf = (text: string | undefined): Secret | undefined => (text === undefined ? undefined : new Secret(text));
