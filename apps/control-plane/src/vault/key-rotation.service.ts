import { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { loggerToken } from '../control-plane-parts.ts';
import { Database } from '../database/database.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { Metrics } from '../health/metrics.ts';
import { readAllUsableKeys, type UsableKeyRow } from './data-keys.store.ts';
import { readKeyUse, readStagedKeys } from './key-rotation.store.ts';
import { destroyKeys, promoteKeys, renewRoots, rewrapAll, type RotationContext, stageKeys } from './rotate-keys.ts';
import { sealsUntilRotation } from './seals-until-rotation.ts';
import { Vault } from './vault.ts';
import { forgetDeadReplicas, removeReplica, reportReplica } from './vault-replicas.store.ts';

/** How often a replica says that it is there and does what there is to do. */
const everyMs = 2_000;
/** How often all keys are looked at: those that are gone are forgotten, those that are new are unwrapped ahead of their use. */
const reviewMs = 5 * 60_000;
/** Values that nothing opens are tried again so often: a backup may have brought back what they need. */
const stuckMs = 60_000;

/** Rotates data keys in the background. Every replica runs it; what there is to do is in the database. */
@Injectable()
export class KeyRotation implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #id = uuidV7();
  readonly #context: RotationContext;
  readonly #metrics: Metrics;
  readonly #stuckUntil = new Map<string, number>();
  #reviewedAt = Number.NEGATIVE_INFINITY;
  #rootsRenewedAt = Number.NEGATIVE_INFINITY;
  #due = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(database: Database, vault: Vault, metrics: Metrics, @Inject(loggerToken) logger: Logger, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#context = { database, vault, logger, graceSeconds: settings.VAULT_KEY_GRACE_SECONDS };
    this.#metrics = metrics;
  }

  /** Before it serves it is counted: no key is promoted without it. */
  async onApplicationBootstrap(): Promise<void> {
    await this.#attempt(() => this.#report());
    this.#schedule();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#attempt(() => removeReplica(this.#context.database.sql, this.#id));
  }

  /** Something was requested. Returns at once. */
  nudge(): void {
    if (this.#isStopped || this.#running) return;
    clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isStopped) return;
    // Jittered, so that replicas do not ask for the lock at the same time.
    this.#timer = setTimeout(() => this.nudge(), everyMs * (0.75 + Math.random() / 2));
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    const context = this.#context;
    // One that cannot be done, because a key management service is away for example, keeps none of the others from being done.
    for (const step of [() => this.#report(), () => stageKeys(context), () => promoteKeys(context), () => this.#rewrap(), () => destroyKeys(context), () => this.#renewRoots(), () => this.#review()]) {
      if (!this.#isStopped) await this.#attempt(step);
    }
  }

  /** It is there, and has unwrapped these staged keys. Where it cannot, it is there all the same: a key that it does not have is not promoted. */
  async #report(): Promise<void> {
    const { database, vault } = this.#context;
    const loaded: UsableKeyRow[] = [];
    const errors: unknown[] = [];
    for (const key of await readStagedKeys(database.sql)) {
      const wrong = await vault.load([key]).catch((error: unknown) => void errors.push(error));
      if (wrong?.length === 0) loaded.push(key);
    }
    await database.transaction((sql) => reportReplica(sql, this.#id, vault.rootKeys.ids, loaded));
    if (errors.length > 0) throw errors[0];
  }

  async #renewRoots(): Promise<void> {
    if (performance.now() < this.#rootsRenewedAt + reviewMs) return;
    if (await renewRoots(this.#context)) this.#rootsRenewedAt = performance.now();
  }

  async #rewrap(): Promise<void> {
    const now = performance.now();
    const stuck = await rewrapAll(this.#context, (workspaceId) => (this.#stuckUntil.get(workspaceId) ?? 0) <= now);
    for (const workspaceId of stuck) this.#stuckUntil.set(workspaceId, now + stuckMs);
  }

  async #review(): Promise<void> {
    const { database, vault, logger } = this.#context;
    if (performance.now() < this.#reviewedAt + reviewMs) return;
    this.#reviewedAt = performance.now();
    const loaded = vault.loaded;
    const rows = await readAllUsableKeys(database.sql);
    vault.forgetAllBut(rows, loaded);
    await vault.load(rows);
    await forgetDeadReplicas(database.sql);
    const use = await readKeyUse(database.sql, sealsUntilRotation);
    this.#metrics.vaultHighestSealedCount.set(use.highest);
    this.#metrics.vaultRotationsDue.set(use.due);
    this.#metrics.vaultUnreadableValues.set(use.unreadable);
    if (use.due > 0 && use.due !== this.#due) logger.warn({ keys: use.due }, 'data keys have sealed so much that they are due for rotation: gatehouse keys rotate --all');
    this.#due = use.due;
  }

  async #attempt(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      // Two that collide, and a database that is away: the next round does it.
      const level = error instanceof GatewayError && error.code === 'conflict' ? 'debug' : 'warn';
      this.#context.logger[level]({ err: error }, 'a step of key rotation could not be done; trying again');
    }
  }
}
