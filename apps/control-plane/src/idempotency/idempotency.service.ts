import { createHash } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { type KeyRing, seal, unseal } from '@gatehouse/sealing';
import { Injectable } from '@nestjs/common';
import { canonicalJson } from '../audit/canonical-json.ts';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { gatewayItself, Vault } from '../vault/vault.ts';
import { claimKey, forgetOldKeys, type IdempotencyScope, readAnswer, type RecordedAnswer, recordAnswer, releaseKey } from './idempotency-keys.store.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A request that is to run, or the answer that it had when it ran before. */
export type Begun = { readonly attempt: string } | { readonly answer: Answer };

export const idempotencyContext = (attempt: string, field: 'request' | 'body') => [gatewayItself, 'idempotency_keys', attempt, field] as const;

/** Requests that take effect once however often they are sent. Both request and answer may hold secrets: both are sealed. */
@Injectable()
export class IdempotencyService {
  readonly #database: Database;
  readonly #vault: Vault;

  constructor(database: Database, vault: Vault) {
    this.#database = database;
    this.#vault = vault;
  }

  /** @throws GatewayError idempotency_key_reused, idempotency_in_progress, conflict where the request was carried out and its answer was lost */
  async begin(scope: IdempotencyScope, request: unknown): Promise<Begun> {
    const { sql } = this.#database;
    await forgetOldKeys(sql);
    const attempt = uuidV7();
    const digest = createHash('sha256').update(canonicalJson(request ?? null)).digest();
    const sealed = seal(await this.#vault.sealingRing(sql, gatewayItself, 1), idempotencyContext(attempt, 'request'), digest);
    if (await claimKey(sql, scope, attempt, sealed)) return { attempt };

    const recorded = await readAnswer(sql, scope);
    if (!recorded) throw new GatewayError('idempotency_in_progress');
    const ring = await this.#vault.openingRing(sql, gatewayItself);
    if (!unseal(ring, idempotencyContext(recorded.attempt, 'request'), recorded.sealedRequest).equals(digest)) throw new GatewayError('idempotency_key_reused');
    return { answer: answerOf(ring, recorded) };
  }

  async conclude(attempt: string, { status, headers, body }: Answer): Promise<void> {
    await this.#database.transaction(async (sql: Sql) => {
      const ring = await this.#vault.sealingRing(sql, gatewayItself, 1);
      const sealed = seal(ring, idempotencyContext(attempt, 'body'), JSON.stringify(body ?? null));
      await recordAnswer(sql, attempt, status, { ...headers }, sealed);
    });
  }

  /** The request failed and changed nothing: it may be sent again, corrected even, under the same key. */
  async release(attempt: string): Promise<void> {
    await releaseKey(this.#database.sql, attempt);
  }
}

const answerLost = {
  pointer: '/Idempotency-Key',
  detail: 'is of a request that was carried out, and whose answer was lost; read again',
  code: 'answer_lost',
} as const;

function answerOf(ring: KeyRing, { attempt, status, headers, sealedBody, isLost }: RecordedAnswer): Answer {
  if (isLost) throw new GatewayError('conflict', { problems: [answerLost] });
  if (status === null || sealedBody === null) throw new GatewayError('idempotency_in_progress');
  return { status, headers: headers ?? {}, body: JSON.parse(unseal(ring, idempotencyContext(attempt, 'body'), sealedBody).toString('utf8')) };
}
