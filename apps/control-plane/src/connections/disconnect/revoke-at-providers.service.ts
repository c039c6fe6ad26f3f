import { GatewayError } from '@gatehouse/errors';
import { revokeToken } from '@gatehouse/oauth-client';
import { unseal, UnsealError } from '@gatehouse/sealing';
import type { Logger } from '@gatehouse/service-runtime';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import { Metrics } from '../../health/metrics.ts';
import { Vault } from '../../vault/vault.ts';
import { ConnectionEgress } from '../connection-egress.service.ts';
import type { ConnectionTokens } from '../connection.ts';
import { findHeld } from '../connections.store.ts';
import { forgetUnusedClients } from '../discovery/client-registrations.store.ts';
import { isSameAccount } from '../id-token-claims.ts';
import { TokenSeals } from '../token-seals.ts';
import { claimRevocations, deleteRevocation, type DueRevocation, forgetRevocationClients, postponeRevocation, revocationClientContext } from './pending-revocations.store.ts';
import { readClient, type RevokingClient } from './revocation-clients.ts';
import { forgetTokenRevocations } from './token-revocations.store.ts';

const everyMs = 30_000;
const concurrency = 8;
/** Longer than the requests of one revocation may take. */
const claimSeconds = 60;
const longestPauseSeconds = 3600;

/** Gives the tokens of ended connections back to their providers, and tries again for a day where that fails. */
@Injectable()
export class RevokeAtProviders implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #seals: TokenSeals;
  readonly #egress: ConnectionEgress;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(database: Database, vault: Vault, seals: TokenSeals, egress: ConnectionEgress, metrics: Metrics, @Inject(loggerToken) logger: Logger) {
    this.#database = database;
    this.#vault = vault;
    this.#seals = seals;
    this.#egress = egress;
    this.#metrics = metrics;
    this.#logger = logger;
  }

  onApplicationBootstrap(): void {
    this.nudge();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** There is something to revoke. Returns at once. */
  nudge(): void {
    if (this.#stopped) return;
    this.#again = true;
    if (this.#running) return;
    clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.nudge(), everyMs * (0.75 + Math.random() / 2));
      this.#timer.unref();
    });
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        while ((await this.#revokeSome()) === concurrency && !this.#stopped);
        await forgetRevocationClients(this.#database.sql);
        await forgetTokenRevocations(this.#database.sql);
        await forgetUnusedClients(this.#database.sql);
      } catch (error) {
        this.#logger.warn({ err: error }, 'tokens were not revoked at their providers; trying again');
      }
    }
  }

  async #revokeSome(): Promise<number> {
    const due = await claimRevocations(this.#database.sql, concurrency, claimSeconds);
    await Promise.all(due.map((row) => this.#revoke(row)));
    return due.length;
  }

  async #revoke(row: DueRevocation): Promise<void> {
    const { sql } = this.#database;
    const outcome = await this.#tryRevoking(row);
    this.#metrics.revocations.inc({ outcome });
    if (outcome === 'failed' && !row.isOld) return postponeRevocation(sql, row.id, Math.min(15 * 2 ** row.attempts, longestPauseSeconds) * (0.75 + Math.random() / 2));
    if (outcome === 'failed') this.#logger.error({ connection: row.connectionId, attempts: row.attempts }, 'tokens could not be revoked at their provider for a day; given up');
    return deleteRevocation(sql, row.id);
  }

  async #tryRevoking(row: DueRevocation): Promise<'revoked' | 'reconnected' | 'failed' | 'unreadable'> {
    try {
      const tokens = await this.#seals.open({ ...row, id: row.connectionId });
      if (row.isReconnected && (await this.#servesAgain(row, tokens))) return 'reconnected';
      const client = await this.#open(row);
      await revokeToken({ ...client, fetch: this.#egress.fetch }, tokens);
      return 'revoked';
    } catch (error) {
      this.#logger.warn({ err: error, connection: row.connectionId, attempts: row.attempts }, 'tokens could not be revoked at their provider');
      // A workspace that was deleted has taken its keys along. Whatever else is wrong may pass.
      const isUnreadable = error instanceof UnsealError || (error instanceof GatewayError && error.code === 'vault_sealed_value_unreadable');
      return isUnreadable ? 'unreadable' : 'failed';
    }
  }

  /** At many providers revoking the former tokens of an account ends its new ones too. Where nobody can tell accounts apart they may be those. */
  async #servesAgain({ ownerId, personId }: DueRevocation, former: ConnectionTokens): Promise<boolean> {
    const held = await findHeld(this.#database.sql, ownerId, personId);
    return held !== undefined && isSameAccount(former, await this.#seals.open(held)) !== false;
  }

  async #open({ clientId: id, workspaceId, sealedClient }: DueRevocation): Promise<RevokingClient> {
    const ring = await this.#vault.openingRing(this.#database.sql, workspaceId);
    return readClient(unseal(ring, revocationClientContext({ id, workspaceId }), sealedClient).toString('utf8'));
  }
}
