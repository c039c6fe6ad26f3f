import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseKey, seal, sealedTerm, Secret, unseal } from '@gatehouse/sealing';
import { Database } from '../../apps/control-plane/src/database/database.ts';
import { openDataSource } from '../../apps/control-plane/src/database/open-data-source.ts';
import { localRootKey } from '../../apps/control-plane/src/vault/root-keys/local-root-key.ts';
import { RootKeys } from '../../apps/control-plane/src/vault/root-keys/root-keys.ts';
import { Vault } from '../../apps/control-plane/src/vault/vault.ts';
import { type AdminReply } from './admin-client.ts';
import type { GatehouseProcess } from './gatehouse-process.ts';
import { type ProductionShape, startProductionShape } from './production-shape.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from './recording-upstream.ts';

export interface RotateUnderLoad {
  readonly rounds: number;
  /** In these, every control plane is killed while values are sealed anew. */
  readonly killIn: readonly number[];
  /** Sealed values besides those of the load, so that there is a middle. */
  readonly values: number;
}

export interface LoadReport {
  /** Of requests to control planes and of calls: what went wrong. */
  readonly failures: readonly string[];
  readonly writes: number;
  readonly reads: number;
  readonly calls: number;
  /** For each kill, how many values were still under the old key. */
  readonly leftAtKill: readonly number[];
  /** Keys of the workspace at the end. */
  readonly states: readonly string[];
  /** How many of the values besides open at the end. */
  readonly opened: number;
}

const servers = ['orders', 'invoices', 'stock'] as const;
type Server = (typeof servers)[number];

/** Two control planes and a data plane as processes; keys are rotated while secrets are written and read, and tools called. */
export async function rotateUnderLoad(options: RotateUnderLoad): Promise<LoadReport> {
  const upstream = await startRecordingUpstream();
  const shape = await startProductionShape({ GATEHOUSE_VAULT_KEY_GRACE_SECONDS: '1' });
  const dataSource = await openDataSource({ url: new Secret(shape.databaseUrl), poolSize: 2 }).initialize();
  const load = new Load(shape, upstream, new Database(dataSource));
  try {
    return await load.run(options);
  } finally {
    load.isOver = true;
    await dataSource.destroy();
    await shape.close();
    await upstream.close();
  }
}

class Load {
  readonly #shape: ProductionShape;
  readonly #upstream: RecordingUpstream;
  readonly #database: Database;
  readonly #failures: string[] = [];
  readonly #planes: GatehouseProcess[] = [];
  /** All keys that a server was ever given: data planes may be an edit behind. */
  readonly #given = new Map<Server, string[]>();
  readonly #counts = { writes: 0, reads: 0, calls: 0 };
  #dataPlaneUrl = '';
  #turn = 0;
  isOver = false;

  constructor(shape: ProductionShape, upstream: RecordingUpstream, database: Database) {
    this.#shape = shape;
    this.#upstream = upstream;
    this.#database = database;
  }

  async run({ rounds, killIn, values }: RotateUnderLoad): Promise<LoadReport> {
    await this.#start();
    const ids = await this.#sealValues(values);
    const running = [this.#write(), this.#read(), this.#call(), this.#call()];
    const leftAtKill: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      await this.#send('POST', '/v1/vault/keys/rotate', {});
      if (killIn.includes(round)) leftAtKill.push(await this.#killInTheMiddle(round));
      while ((await this.#send<{ rotating: boolean }>('GET', '/v1/vault/keys')).body.rotating) await delay(200);
    }
    this.isOver = true;
    await Promise.all(running);
    await this.#everyServerHasItsLast();
    const keys = await this.#send<{ items: { state: string }[] }>('GET', '/v1/vault/keys?workspace=default');
    return { failures: this.#failures, ...this.#counts, leftAtKill, states: keys.body.items.map(({ state }) => state), opened: await this.#openValues(ids) };
  }

  async #start(): Promise<void> {
    for (let count = 0; count < 2; count += 1) this.#planes.push((await this.#shape.startControlPlane()).process);
    this.#dataPlaneUrl = (await this.#shape.startDataPlane('one')).dataPlaneUrl;
    for (const name of servers) {
      const key = `${name}-0`;
      this.#given.set(name, [key]);
      await this.#send('POST', '/v1/workspaces/default/servers', {
        name, type: 'mcp', upstream: { url: this.#upstream.url }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: key },
      });
    }
    for (const name of servers) while (!(await this.#keySeen(name)).startsWith(name)) await delay(50);
  }

  /** One after the other, whichever is there; as behind an ingress, one that is not is passed over. */
  async #send<Body>(method: string, path: string, document?: unknown, headers: Record<string, string> = {}): Promise<AdminReply<Body>> {
    for (;;) {
      const plane = this.#planes[(this.#turn += 1) % this.#planes.length];
      const reply = await fetch(new URL(path, plane?.controlPlaneUrl), {
        method,
        headers: { Authorization: `Bearer ${String(this.#shape.environment['GATEHOUSE_ADMIN_TOKEN'])}`, 'Content-Type': 'application/json', ...headers },
        ...(document !== undefined && { body: JSON.stringify(document) }),
      })
        .then(async (response) => ({ status: response.status, headers: response.headers, body: (await response.json()) as Body }))
        .catch(() => undefined);
      // Of a process that was killed there is no answer, and none is expected.
      if (reply === undefined) await delay(20);
      else {
        if (reply.status >= 400) this.#failures.push(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
        return reply;
      }
    }
  }

  async #write(): Promise<void> {
    for (let version = 1; !this.isOver; version += 1) {
      for (const name of servers) {
        const value = `${name}-${version}`;
        this.#given.get(name)?.push(value);
        await this.#send('PATCH', `/v1/workspaces/default/servers/${name}`, { appAuth: { value } }, { 'If-Match': '*' });
        this.#counts.writes += 1;
      }
      await delay(20);
    }
  }

  async #read(): Promise<void> {
    while (!this.isOver) {
      for (const name of servers) {
        await this.#send('POST', `/v1/workspaces/default/servers/${name}/explain`, { request: { headers: [] } });
        this.#counts.reads += 1;
      }
      await delay(20);
    }
  }

  async #call(): Promise<void> {
    while (!this.isOver) {
      for (const name of servers) {
        const seen = await this.#keySeen(name);
        if (this.#given.get(name)?.includes(seen) !== true) this.#failures.push(`a call of ${name}: ${seen}`);
        this.#counts.calls += 1;
      }
    }
  }

  /** The stored key that the upstream sees when a tool of the server is called; what went wrong otherwise. */
  async #keySeen(name: Server): Promise<string> {
    const id = randomUUID();
    const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: {} } });
    const response = await fetch(`${this.#dataPlaneUrl}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const text = await response.text();
    const index = this.#upstream.requests.findIndex((request) => request.body.includes(id));
    const [seen] = index < 0 ? [] : this.#upstream.requests.splice(index, 1);
    return response.status === 200 && seen ? (headerValue(seen, 'x-api-key') ?? 'no key') : `${response.status} ${text}`;
  }

  async #everyServerHasItsLast(): Promise<void> {
    for (const name of servers) while ((await this.#keySeen(name)) !== this.#given.get(name)?.at(-1)) await delay(50);
  }

  async #killInTheMiddle(round: number): Promise<number> {
    let left: number;
    do left = await this.#valuesUnder(round);
    while (!(await this.#isOld(round)) || left === 0 || left === (await this.#all()));
    await Promise.all(this.#planes.map((plane) => plane.kill9()));
    left = await this.#valuesUnder(round);
    const started = await Promise.all(this.#planes.map(() => this.#shape.startControlPlane()));
    this.#planes.splice(0, this.#planes.length, ...started.map(({ process }) => process));
    return left;
  }

  async #isOld(term: number): Promise<boolean> {
    const rows = await this.#database.sql(`select from data_keys k join workspaces w on w.id = k.workspace_id where w.name = 'default' and term = $1 and state = 'decrypt_only'`, [term]);
    return rows.length > 0;
  }

  async #valuesUnder(term: number): Promise<number> {
    const [row] = await this.#database.sql<{ count: number }>(`select count(*) from secrets s join workspaces w on w.id = s.workspace_id where w.name = 'default' and key_term = $1`, [term]);
    return Number(row?.count);
  }

  async #all(): Promise<number> {
    const [row] = await this.#database.sql<{ count: number }>(`select count(*) from secrets s join workspaces w on w.id = s.workspace_id where w.name = 'default'`);
    return Number(row?.count);
  }

  async #vaultOfDefault(): Promise<{ vault: Vault; workspaceId: string }> {
    const rootKey = localRootKey(parseKey(String(this.#shape.environment['GATEHOUSE_VAULT_KEY'])), 'GATEHOUSE_VAULT_KEY');
    const [row] = await this.#database.sql<{ id: string }>(`select id from workspaces where name = 'default'`);
    return { vault: new Vault(new RootKeys(rootKey)), workspaceId: row?.id ?? '' };
  }

  /** Values as a server's are, of servers that are not there. */
  async #sealValues(count: number): Promise<string[]> {
    const { vault, workspaceId } = await this.#vaultOfDefault();
    const ids = Array.from({ length: count }, () => randomUUID());
    const ring = await vault.sealingRing(this.#database.sql, workspaceId, count);
    const sealed = ids.map((id) => seal(ring, [workspaceId, 'servers', id, '/value'], id));
    await this.#database.sql(
      `insert into secrets (workspace_id, owner_table, owner_id, field, sealed, key_term)
       select $1, 'servers', v.id, '/value', v.sealed, $4 from unnest($2::uuid[], $3::bytea[]) as v (id, sealed)`,
      [workspaceId, ids, sealed, sealedTerm(sealed[0] ?? Buffer.alloc(0))],
    );
    return ids;
  }

  async #openValues(ids: readonly string[]): Promise<number> {
    const { vault, workspaceId } = await this.#vaultOfDefault();
    const rows = await this.#database.sql<{ id: string; sealed: Buffer }>('select owner_id as id, sealed from secrets where owner_id = any($1)', [ids]);
    const ring = await vault.openingRing(this.#database.sql, workspaceId);
    return rows.filter(({ id, sealed }) => unseal(ring, [workspaceId, 'servers', id, '/value'], sealed).toString() === id).length;
  }
}
