import type { Logger } from '@gatehouse/service-runtime';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import { ConnectionClients } from '../connection-clients.service.ts';
import { ConnectionRefresher } from './connection-refresher.ts';
import { keepAliveSeconds } from './refresh-schedule.ts';
import { claimDue, type DueConnection, postpone } from './refresh.store.ts';

const everyMs = 5_000;
/** At the same time; more wait for their turn. */
const concurrency = 8;
const claimSeconds = 60;

/** Refreshes tokens before they expire, as long as somebody uses them, and now and then those that nobody uses, so that a provider does not drop them. */
@Injectable()
export class RefreshAhead implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #database: Database;
  readonly #refresher: ConnectionRefresher;
  readonly #clients: ConnectionClients;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(database: Database, refresher: ConnectionRefresher, clients: ConnectionClients, @Inject(loggerToken) logger: Logger) {
    this.#database = database;
    this.#refresher = refresher;
    this.#clients = clients;
    this.#logger = logger;
  }

  onApplicationBootstrap(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#running = this.runOnce().catch((error: unknown) => this.#logger.warn({ err: error }, 'tokens were not refreshed ahead of their expiry; trying again'));
      void this.#running.then(() => this.onApplicationBootstrap());
    }, everyMs * (0.75 + Math.random() / 2));
    this.#timer.unref();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    // What a provider has already answered is stored first.
    await this.#refresher.idle();
  }

  /** Everything that is due now. */
  async runOnce(): Promise<void> {
    for (;;) {
      const due = await claimDue(this.#database.sql, concurrency, claimSeconds);
      await Promise.all(due.map((row) => this.#refresh(row)));
      if (due.length < concurrency || this.#stopped) return;
    }
  }

  async #refresh(row: DueConnection): Promise<void> {
    const { refreshable, state, wasUsed, remainingMs } = row;
    if (!refreshable || state !== 'active') return this.#postpone(row, null);
    if (!wasUsed && remainingMs !== null && !(await this.#isKeptAlive(row))) return undefined;
    const { result } = await this.#refresher.refresh(row);
    // Not before there is nothing to lose.
    if (result === 'in-doubt' && remainingMs !== null && remainingMs > 0) await this.#postpone(row, remainingMs / 1000);
    return undefined;
  }

  /** Nobody has used it since its last refresh: whoever needs it again asks for it. Once that was long ago, it is kept alive. */
  async #isKeptAlive(row: DueConnection): Promise<boolean> {
    const seconds = await this.#clients.of({ kind: row.ownerKind, id: row.ownerId }).then(({ refresh }) => keepAliveSeconds(refresh), () => claimSeconds);
    if (seconds !== null && row.idleSeconds >= seconds) return true;
    await this.#postpone(row, seconds === null ? null : seconds - row.idleSeconds);
    return false;
  }

  #postpone(row: DueConnection, seconds: number | null): Promise<void> {
    return postpone(this.#database.sql, row, seconds);
  }
}
