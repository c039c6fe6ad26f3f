import { type EnvironmentPolicy, type ReadableHeaderPolicy, type StoredHeaderPolicy, writableHeaderPolicy } from '@gatehouse/gateway-config';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { requireMatch } from '../http/entity-tag.ts';
import { parseDocument } from '../http/parse-document.ts';
import { mergePatch } from '../servers/merge-patch.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { environmentPolicyOf } from './environment-policy.ts';
import { findHeaderPolicy, type HeaderPolicyRow, lockHeaderPolicy } from './header-policy.store.ts';
import { presentHeaderPolicy, presentStoredPolicy, versionOf } from './present-header-policy.ts';
import { removeHeaderPolicy, saveHeaderPolicy } from './save-header-policy.ts';

/** The one global header policy. It can always be read; its document is there or not. */
@Injectable()
export class HeaderPolicyService {
  readonly #database: Database;
  readonly #publisher: SnapshotPublisher;
  readonly #environment: EnvironmentPolicy;

  constructor(database: Database, publisher: SnapshotPublisher, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#publisher = publisher;
    this.#environment = environmentPolicyOf(settings);
  }

  async read(): Promise<ReadableHeaderPolicy> {
    return presentStoredPolicy(await findHeaderPolicy(this.#database.sql), this.#environment);
  }

  replace(body: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableHeaderPolicy> {
    return this.#change(() => body, ifMatch, actor);
  }

  patch(patch: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableHeaderPolicy> {
    return this.#change((row) => mergePatch(this.#present(row), patch), ifMatch, actor);
  }

  async delete(ifMatch: string | undefined, actor: ChangeAuthor): Promise<void> {
    await this.#database.transaction(async (sql) => {
      await lockHeaderPolicy(sql);
      const row = await findHeaderPolicy(sql);
      requireMatch(ifMatch, versionOf(row));
      if (row !== undefined) await removeHeaderPolicy(sql, actor);
    });
    this.#publisher.nudge();
  }

  async #change(toBody: (row: HeaderPolicyRow | undefined) => unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<ReadableHeaderPolicy> {
    const changed = await this.#database.transaction(async (sql) => {
      await lockHeaderPolicy(sql);
      const row = await findHeaderPolicy(sql);
      requireMatch(ifMatch, versionOf(row));
      return saveHeaderPolicy(sql, row, readWrittenPolicy(toBody(row)), actor);
    });
    this.#publisher.nudge();
    return this.#present(changed);
  }

  #present(row: HeaderPolicyRow | undefined): ReadableHeaderPolicy {
    return presentHeaderPolicy(row, this.#environment);
  }
}

/** Without what reading adds. @throws GatewayError validation_failed */
function readWrittenPolicy(body: unknown): StoredHeaderPolicy {
  const { kind: _k, revision: _r, updatedAt: _u, effective: _e, warnings: _w, ...spec } = parseDocument(writableHeaderPolicy, body);
  return { ...spec, enabled: spec.enabled ?? true };
}
