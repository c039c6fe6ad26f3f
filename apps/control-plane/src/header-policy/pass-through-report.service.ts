import type { GlobalHeaderPolicy } from '@gatehouse/gateway-config';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { type Page, pageOf, type PageQuery } from '../http/page.ts';
import { isOpenServer } from '../servers/server-warnings.ts';
import { prepareStoredServer } from '../servers/prepare-stored-server.ts';
import { listAllServers, type ServerRow } from '../servers/servers.store.ts';
import { listSecrets } from '../vault/secrets.store.ts';
import { environmentPolicyOf } from './environment-policy.ts';
import { describePassThrough, type PassThroughUse, usesPassThrough } from './pass-through-use.ts';
import { readGlobalPolicy } from './read-global-policy.ts';

/** What a cursor of this report holds: the names of a workspace and of a server in it. */
export const reportPosition = /^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}$/;

const batchSize = 200;
/** How many servers are looked at for one page: where few use pass-through, a page is short rather than late. */
const lookedAtMost = 2_000;

interface LookedAt {
  readonly position: string;
  readonly use: PassThroughUse | undefined;
}

/** Which servers, of all workspaces, use pass-through (P7). */
@Injectable()
export class PassThroughReport {
  readonly #database: Database;
  readonly #settings: ControlPlaneSettings;

  constructor(database: Database, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#settings = settings;
  }

  async list({ after, limit }: PageQuery): Promise<Page<PassThroughUse>> {
    const policy = await readGlobalPolicy(this.#database.sql, environmentPolicyOf(this.#settings));
    const lookedAt: LookedAt[] = [];
    for (let found = 0; found < limit && lookedAt.length < lookedAtMost; ) {
      const rows = await listAllServers(this.#database.sql, lookedAt.at(-1)?.position ?? after, batchSize);
      for (const one of await this.#lookAt(rows, policy)) {
        lookedAt.push(one);
        if (one.use !== undefined) found += 1;
        if (found === limit) break;
      }
      if (rows.length < batchSize) break;
    }
    const next = await listAllServers(this.#database.sql, lookedAt.at(-1)?.position ?? after, 1);
    const more = next.map((row) => ({ position: positionOf(row), use: undefined }));
    const { items, ...cursor } = pageOf([...lookedAt, ...more], lookedAt.length, ({ position }) => position, ({ use }) => use);
    return { ...cursor, items: items.filter((use) => use !== undefined) };
  }

  async #lookAt(rows: readonly ServerRow[], policy: GlobalHeaderPolicy): Promise<LookedAt[]> {
    const secrets = Map.groupBy(await listSecrets(this.#database.sql, 'servers', rows.map(({ id }) => id)), ({ ownerId }) => ownerId);
    return rows.map((row) => {
      const locations = (secrets.get(row.id) ?? []).map(({ field }) => field);
      const server = prepareStoredServer(row, locations);
      const use = server && describePassThrough(server, policy, isOpenServer(row.document, locations));
      return { position: positionOf(row), use: use && usesPassThrough(use) ? use : undefined };
    });
  }
}

const positionOf = ({ workspace, name }: ServerRow): string => `${workspace}/${name}`;
