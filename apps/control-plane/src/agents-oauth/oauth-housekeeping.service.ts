import type { Logger } from '@gatehouse/service-runtime';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { loggerToken } from '../control-plane-parts.ts';
import { Database } from '../database/database.ts';
import { tidyLoginTokens } from '../identity/login/tidy-login-tokens.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { Vault } from '../vault/vault.ts';
import { keepSigningKeys } from './keep-signing-keys.ts';
import { accessTokenKeys, identityKeys } from './signing-key-uses.ts';
import { tidyOAuthState } from './tidy-oauth-state.ts';

const everyMs = 10 * 60_000;

/** What the authorization server needs done from time to time: keys made ahead, and what has expired removed. */
@Injectable()
export class OAuthHousekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #publisher: SnapshotPublisher;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(database: Database, vault: Vault, publisher: SnapshotPublisher, @Inject(loggerToken) logger: Logger) {
    this.#database = database;
    this.#vault = vault;
    this.#publisher = publisher;
    this.#logger = logger;
  }

  onApplicationBootstrap(): void {
    // Jittered, so that replicas that began together do not work together.
    this.#timer = setTimeout(() => {
      this.#running = this.#run().finally(() => this.onApplicationBootstrap());
    }, everyMs * (0.75 + Math.random() / 2));
    this.#timer.unref();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#running;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    try {
      for (const use of [accessTokenKeys, identityKeys]) if (await keepSigningKeys(this.#database, this.#vault, use)) this.#publisher.nudge();
      await tidyOAuthState(this.#database.sql);
      if ((await tidyLoginTokens(this.#database)) > 0) this.#publisher.nudge();
    } catch (error) {
      this.#logger.warn({ err: error }, 'the authorization server could not be tidied; trying again later');
    }
  }
}
