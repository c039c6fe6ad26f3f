import type { GlobalHeaderPolicy, Warning } from '@gatehouse/gateway-config';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { pageOf, type PageQuery } from '../http/page.ts';
import { isOpenServer } from '../servers/server-warnings.ts';
import { prepareStoredServer } from '../servers/prepare-stored-server.ts';
import { type ServerPage, toServerPage } from '../servers/server-page.ts';
import { listAllServers, type ServerRow } from '../servers/servers.store.ts';
import { presentUnreadable, type UnreadableServer } from '../servers/unreadable-server.ts';
import { listSecrets } from '../vault/secrets.store.ts';
import { environmentPolicyOf } from './environment-policy.ts';
import { describePassThrough, type PassThroughUse, usesPassThrough } from './pass-through-use.ts';
import { readKnownPolicy } from './read-global-policy.ts';

/** What a cursor of this report holds: the names of a workspace and of a server in it. */
export const reportPosition = /^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}$/;

const batchSize = 200;
/** How many servers are looked at for one page: where few use pass-through, a page is short rather than late. */
const lookedAtMost = 2_000;

interface LookedAt {
  readonly position: string;
  /** What belongs into the report. */
  readonly told?: { readonly readable: PassThroughUse } | { readonly unreadable: UnreadableServer };
}

/** A page of it, with what makes it say less than there may be. */
export interface PassThroughPage extends ServerPage<PassThroughUse> {
  readonly warnings?: Warning[];
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

  async list({ after, limit }: PageQuery): Promise<PassThroughPage> {
    const { policy, warnings } = await readKnownPolicy(this.#database.sql, environmentPolicyOf(this.#settings));
    const lookedAt: LookedAt[] = [];
    for (let found = 0; found < limit && lookedAt.length < lookedAtMost; ) {
      const rows = await listAllServers(this.#database.sql, lookedAt.at(-1)?.position ?? after, batchSize);
      for (const one of await this.#lookAt(rows, policy)) {
        lookedAt.push(one);
        if (one.told !== undefined) found += 1;
        if (found === limit) break;
      }
      if (rows.length < batchSize) break;
    }
    const next = await listAllServers(this.#database.sql, lookedAt.at(-1)?.position ?? after, 1);
    const more = next.map((row): LookedAt => ({ position: positionOf(row) }));
    const { items, ...cursor } = pageOf([...lookedAt, ...more], lookedAt.length, ({ position }) => position, ({ told }) => told);
    return { ...toServerPage({ ...cursor, items: items.filter((told) => told !== undefined) }), ...(warnings.length > 0 && { warnings }) };
  }

  async #lookAt(rows: readonly ServerRow[], policy: GlobalHeaderPolicy): Promise<LookedAt[]> {
    const secrets = Map.groupBy(await listSecrets(this.#database.sql, 'servers', rows.map(({ id }) => id)), ({ ownerId }) => ownerId);
    return rows.map((row) => {
      const position = positionOf(row);
      const locations = (secrets.get(row.id) ?? []).map(({ field }) => field);
      const server = prepareStoredServer(row, locations);
      if (server === undefined) return { position, told: { unreadable: presentUnreadable(row) } };
      const use = describePassThrough(server, policy, isOpenServer(row.document, locations));
      return usesPassThrough(use) ? { position, told: { readable: use } } : { position };
    });
  }
}

const positionOf = ({ workspace, name }: ServerRow): string => `${workspace}/${name}`;
