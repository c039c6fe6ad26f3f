import { randomBytes, randomUUID } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { type KeyRing, seal, sealedTerm, unseal, UnsealError } from '@gatehouse/sealing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { rootKeyOf, useVault } from '../spec-support/use-vault.ts';
import type { ControlPlaneSettings } from '../environment.ts';
import { Metrics } from '../health/metrics.ts';
import { checkSentinel } from './check-sentinel.ts';
import { readAllUsableKeys } from './data-keys.store.ts';
import { readStagedKeys, requestRotations } from './key-rotation.store.ts';
import { KeyRotation } from './key-rotation.service.ts';
import type { RootKey } from './root-keys/root-key.ts';
import { RootKeys } from './root-keys/root-keys.ts';
import { destroyKeys, promoteKeys, renewRoots, rewrapAll, stageKeys } from './rotate-keys.ts';
import type { SealedColumn } from './sealed-column.ts';
import { sealedColumns } from './sealed-columns.ts';
import { readValues, replaceValues } from './sealed-values.store.ts';
import { sharedSecret } from './shared-secret.ts';
import { gatewayItself, type Vault } from './vault.ts';
import { reportReplica } from './vault-replicas.store.ts';

const fixture = useVault();
let workspaceId: string;
let vault: Vault;

beforeEach(async () => {
  // A workspace of its own for each: terms begin at 1.
  workspaceId = uuidV7();
  await fixture.query('insert into workspaces (id, name) values ($1, $2)', [workspaceId, `w-${workspaceId}`]);
  await fixture.query('delete from vault_replicas');
  vault = fixture.vault();
});

const keys = () => fixture.query<{ term: number; state: string }>('select term, state from data_keys where workspace_id = $1 order by term', [workspaceId]);
const states = async () => (await keys()).map(({ state }) => state);

/** A row with a secret, as a store writes it. @returns its id */
async function store(owner = workspaceId, text = 'secret'): Promise<string> {
  const id = randomUUID();
  await fixture.database.transaction(async (sql) => insertSecret(sql, await vault.sealingRing(sql, owner, 1), owner, id, text));
  return id;
}

async function insertSecret(sql: Sql, ring: KeyRing, owner: string, id: string, text: string): Promise<void> {
  const sealed = seal(ring, [owner, 'servers', id, '/x'], text);
  await sql(
    `insert into secrets (workspace_id, owner_table, owner_id, field, sealed, key_term, updated_at) values ($1, 'servers', $2, '/x', $3, $4, '2026-01-01')`,
    [owner, id, sealed, sealedTerm(sealed)],
  );
}

async function openStored(id: string, owner = workspaceId, reader = vault): Promise<string> {
  const [row] = await fixture.query<{ sealed: Buffer }>('select sealed from secrets where owner_id = $1', [id]);
  return unseal(await reader.openingRing(fixture.database.sql, owner), [owner, 'servers', id, '/x'], row?.sealed ?? Buffer.alloc(0)).toString();
}

const stage = async (owner = workspaceId): Promise<void> => {
  await requestRotations(fixture.database.sql, [owner]);
  await stageKeys(fixture.context(vault));
  await fixture.query(`update data_keys set created_at = created_at - interval '1 minute' where state = 'staged'`);
};
const promote = (): Promise<void> => promoteKeys(fixture.context(vault));
const rewrap = (): Promise<string[]> => rewrapAll(fixture.context(vault), () => true);
const destroy = async (): Promise<void> => {
  await fixture.query(`update data_keys set emptied_at = emptied_at - interval '2 minutes' where emptied_at is not null`);
  await destroyKeys(fixture.context(vault));
};
const rotate = async (owner = workspaceId): Promise<void> => {
  await stage(owner);
  await promote();
  await rewrap();
  await destroy();
};

describe('a rotation', () => {
  test('goes from staged to active, seals everything anew, and destroys the key before', async () => {
    const ids = [await store(), await store()];
    await stage();
    expect(await states()).toEqual(['active', 'staged']);
    await promote();
    expect(await states()).toEqual(['decrypt_only', 'active']);
    expect(await Promise.all(ids.map((id) => openStored(id)))).toEqual(['secret', 'secret']);
    ids.push(await store());
    await rewrap();
    expect(await fixture.query('select distinct key_term, updated_at = $2 as untouched from secrets where workspace_id = $1', [workspaceId, '2026-01-01'])).toEqual([{ key_term: 2, untouched: true }]);
    await destroyKeys(fixture.context(vault));
    expect(await states()).toEqual(['decrypt_only', 'active']);
    await destroy();
    expect(await fixture.query('select state, length(wrapped) as bytes from data_keys where workspace_id = $1 and term = 1', [workspaceId])).toEqual([{ state: 'destroyed', bytes: 0 }]);
    expect(await Promise.all(ids.map((id) => openStored(id, workspaceId, fixture.vault())))).toEqual(['secret', 'secret', 'secret']);
    const events = await fixture.query('select action, target_name from audit_events where target_id = $1 order by sequence', [workspaceId]);
    expect(events).toEqual([{ action: 'data-key.activated', target_name: '2' }, { action: 'data-key.destroyed', target_name: '1' }]);
  });

  test('five of them leave one key, and what was sealed under the first opens', async () => {
    const id = await store();
    for (let round = 0; round < 5; round += 1) await rotate();
    expect(await states()).toEqual(['destroyed', 'destroyed', 'destroyed', 'destroyed', 'destroyed', 'active']);
    expect(await openStored(id)).toBe('secret');
  });

  test('leaves nothing of a destroyed key in memory', async () => {
    await store();
    await rotate();
    const { loaded } = vault;
    vault.forgetAllBut(await readAllUsableKeys(fixture.database.sql), loaded);
    expect([...vault.loaded].filter((key) => key.startsWith(`${workspaceId}/`))).toEqual([expect.stringContaining(`${workspaceId}/2/`)]);
  });

  test('is one, however often it is requested before it begins; of a workspace without a key there is none', async () => {
    await store();
    for (let time = 0; time < 3; time += 1) await requestRotations(fixture.database.sql, [workspaceId]);
    await Promise.all([stageKeys(fixture.context(vault)), stageKeys(fixture.context(fixture.vault())), stageKeys(fixture.context(fixture.vault()))]);
    await stageKeys(fixture.context(vault));
    expect(await states()).toEqual(['active', 'staged']);
    expect(await requestRotations(fixture.database.sql, [uuidV7()])).toEqual([]);
  });

  test('of the gateway’s own key keeps what the replicas share', async () => {
    const secret = await sharedSecret(fixture.database.sql, vault);
    await rotate(gatewayItself);
    expect(await sharedSecret(fixture.database.sql, fixture.vault())).toEqual(secret);
    expect(secret).toHaveLength(32);
  });
});

describe('promotion', () => {
  test('waits for every replica that is there to have unwrapped the key, and not for one that is dead', async () => {
    const { sql } = fixture.database;
    await store();
    await stage();
    const [mine, other] = [uuidV7(), uuidV7()];
    const staged = await readStagedKeys(sql);
    await reportReplica(sql, mine, [], staged);
    await reportReplica(sql, other, [], []);
    await promote();
    expect(await states()).toEqual(['active', 'staged']);
    await reportReplica(sql, other, [], staged);
    await promote();
    expect(await states()).toEqual(['decrypt_only', 'active']);

    await stage();
    await reportReplica(sql, mine, [], await readStagedKeys(sql));
    await promote();
    expect((await states()).at(-1)).toBe('staged');
    await fixture.query(`update vault_replicas set seen_at = now() - interval '1 minute' where id = $1`, [other]);
    await promote();
    expect((await states()).at(-1)).toBe('active');
  });

  test('waits for a replica whose key management service is away, which goes on opening what it has', async () => {
    const id = await store();
    const local = fixture.rootKeys.current;
    let isAway = false;
    const service: RootKey = { ...local, unwrap: (place, wrapped) => (isAway ? Promise.reject(new GatewayError('vault_kms_unavailable')) : local.unwrap(place, wrapped)) };
    const lonely = fixture.vault(new RootKeys(service));
    expect(await openStored(id, workspaceId, lonely)).toBe('secret');
    isAway = true;
    await stage();
    const { database, logger } = fixture.context(lonely);
    const replica = new KeyRotation(database, lonely, new Metrics(), logger, { VAULT_KEY_GRACE_SECONDS: 60 } as ControlPlaneSettings);
    await replica.onApplicationBootstrap();
    expect(await openStored(id, workspaceId, lonely)).toBe('secret');
    await promote();
    expect(await states()).toEqual(['active', 'staged']);
    await replica.onApplicationShutdown();
    await promote();
    expect(await states()).toEqual(['decrypt_only', 'active']);
  });

  test('a writer that waited for the key that is demoted seals under the new one', async () => {
    await store();
    await stage();
    // As in a promotion that has not committed yet.
    const writing = fixture.database.transaction(async (sql) => {
      await sql(`update data_keys set state = 'decrypt_only' where workspace_id = $1 and term = 1`, [workspaceId]);
      await sql(`update data_keys set state = 'active' where workspace_id = $1 and term = 2`, [workspaceId]);
      const waiting = fixture.database.transaction((other) => vault.sealingRing(other, workspaceId, 1));
      await waitForBlocked();
      return { waiting };
    });
    expect((await (await writing).waiting).activeTerm).toBe(2);
  });
});

async function waitForBlocked(): Promise<void> {
  for (;;) {
    const blocked = await fixture.query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    if (blocked.length > 0) return;
  }
}

/** A row in each table, with a value of its column. */
const samples: Readonly<Record<string, (sealed: (row: Readonly<Record<string, unknown>>) => Buffer) => Promise<unknown>>> = {
  'secrets.sealed': (sealed) => insert('secrets', { workspace_id: workspaceId, owner_table: 'servers', owner_id: randomUUID(), field: '/x' }, { sealed }),
  'oauth_state.sealed': (sealed) => insert('oauth_state', { model: 'Session', id_hash: randomBytes(32) }, { sealed }),
  'oauth_signing_keys.sealed': (sealed) => insert('oauth_signing_keys', { kid: randomUUID(), public_jwk: '{}', signs_from: '2026-01-01' }, { sealed }),
  'identity_signing_keys.sealed': (sealed) => insert('identity_signing_keys', { kid: randomUUID(), public_jwk: '{}', signs_from: '2026-01-01' }, { sealed }),
  'provider_tokens.sealed': async (sealed) => insert('provider_tokens', { session_id: randomUUID(), person_id: await person(), provider: 'corp', issuer: 'https://corp.example' }, { sealed }),
  'idempotency_keys.sealed_request': (sealed) => insert('idempotency_keys', { actor: 'a', route: 'r', key: randomUUID(), attempt: randomUUID() }, { sealed_request: sealed }),
  'idempotency_keys.sealed_body': (sealed) => insert('idempotency_keys', { actor: 'a', route: 'r', key: randomUUID(), attempt: randomUUID() }, { sealed_request: () => Buffer.alloc(0), sealed_body: sealed }),
  'connections.sealed': (sealed) => insert('connections', { id: randomUUID(), workspace_id: workspaceId, owner_kind: 'app', owner_id: randomUUID(), refreshable: true }, { sealed }),
  'client_registrations.sealed': (sealed) =>
    insert('client_registrations', { id: randomUUID(), workspace_id: workspaceId, issuer: `https://${randomUUID()}.example`, server: '{}', is_near: false }, { sealed }),
  'user_credentials.sealed': async (sealed) =>
    insert('user_credentials', { id: randomUUID(), workspace_id: workspaceId, credential_id: await credential(), person_id: await person() }, { sealed }),
  'former_clients.sealed': async (sealed) =>
    insert('former_clients', { id: randomUUID(), workspace_id: workspaceId, registration_id: await registration(), client_id: randomUUID(), client_auth: 'basic' }, { sealed }),
  'revocation_clients.sealed': (sealed) => insert('revocation_clients', { id: randomUUID(), workspace_id: workspaceId }, { sealed }),
  'pending_revocations.sealed': async (sealed) =>
    insert('pending_revocations', { id: randomUUID(), client_id: await revocationClient(), connection_id: randomUUID(), workspace_id: workspaceId, owner_id: randomUUID() }, { sealed }),
};

type Fields = Readonly<Record<string, unknown>>;

async function insert(table: string, fields: Fields, sealed: Readonly<Record<string, (row: Fields) => Buffer>>): Promise<void> {
  const values = Object.entries(sealed).map(([name, of]) => [name, of(fields)] as const);
  const term = sealedColumns.some((column) => column.table === table && column.isTermGenerated) ? [] : [['key_term', sealedTerm(values[0]?.[1] as Buffer)] as const];
  const row = [...Object.entries(fields), ...values, ...term];
  await fixture.query(`insert into ${table} (${row.map(([name]) => name).join(', ')}) values (${row.map((_, index) => `$${index + 1}`).join(', ')})`, row.map(([, value]) => value));
}

async function person(): Promise<string> {
  const id = randomUUID();
  await fixture.query(`insert into people (id, provider, issuer, subject, name) values ($1, 'corp', 'https://corp.example', $2, 'Ana')`, [id, id]);
  return id;
}

async function credential(): Promise<string> {
  const id = randomUUID();
  await fixture.query(`insert into credentials (id, workspace_id, name, document) values ($1, $2, 'x', '{}')`, [id, workspaceId]);
  return id;
}

async function registration(): Promise<string> {
  const id = randomUUID();
  await fixture.query(`insert into client_registrations (id, workspace_id, issuer, server, is_near) values ($1, $2, $3, '{}', false)`, [id, workspaceId, `https://${id}.example`]);
  return id;
}

async function revocationClient(): Promise<string> {
  const id = randomUUID();
  const ring = await vault.sealingRing(fixture.database.sql, workspaceId, 1);
  await insert('revocation_clients', { id, workspace_id: workspaceId }, { sealed: () => seal(ring, [workspaceId, 'revocation_clients', id, 'client'], 'x') });
  return id;
}

describe('every column of sealed values', () => {
  test.each(sealedColumns.map((column) => [`${column.table}.${column.sealed}`, column] as const))('%s', async (name, column: SealedColumn) => {
    const owner = column.workspace === undefined ? gatewayItself : workspaceId;
    const ring = await vault.sealingRing(fixture.database.sql, owner, 1);
    const sample = samples[name];
    if (!sample) throw new Error(`no sample of ${name}`);
    await sample((row) => seal(ring, column.context(row), `value of ${name}`));
    await stage(owner);
    await promote();
    await rewrap();
    const opening = await fixture.vault().openingRing(fixture.database.sql, owner);
    const values = await readValues(fixture.database.sql, column, owner, [ring.activeTerm + 1], '(0,0)', 10);
    expect(values.map(({ row, sealed }) => unseal(opening, column.context(row), sealed).toString())).toContain(`value of ${name}`);
    expect(await readValues(fixture.database.sql, column, owner, [ring.activeTerm], '(0,0)', 10)).toEqual([]);
  });
});

describe('writers', () => {
  const secrets = sealedColumns.find(({ table }) => table === 'secrets') as SealedColumn;
  const only = async () => (await readValues(fixture.database.sql, secrets, workspaceId, [1], '(0,0)', 1))[0];

  test('win: what was written meanwhile is not replaced by what was read before', async () => {
    const id = await store();
    const read = await only();
    const ring = await vault.sealingRing(fixture.database.sql, workspaceId, 1);
    await fixture.query('update secrets set sealed = $2 where owner_id = $1', [id, seal(ring, [workspaceId, 'servers', id, '/x'], 'newer')]);
    const stale = { position: read?.position ?? '', before: read?.sealed ?? Buffer.alloc(0), after: seal(ring, [workspaceId, 'servers', id, '/x'], 'older') };
    expect(await replaceValues(fixture.database.sql, secrets, 1, [stale])).toBe(0);
    // Also where the row has not moved.
    const moved = await only();
    expect(await replaceValues(fixture.database.sql, secrets, 1, [{ ...stale, position: moved?.position ?? '' }])).toBe(0);
    expect(await openStored(id)).toBe('newer');
  });

  test('are not waited for', async () => {
    const [id, free] = [await store(), await store()];
    await stage();
    await promote();
    await fixture.database.transaction(async (sql) => {
      await sql('select from secrets where owner_id = $1 for update', [id]);
      await rewrap();
    });
    const terms = await fixture.query('select owner_id, key_term from secrets where workspace_id = $1', [workspaceId]);
    expect(terms).toEqual(expect.arrayContaining([{ owner_id: id, key_term: 1 }, { owner_id: free, key_term: 2 }]));
    await rewrap();
    await destroy();
    expect([await states(), await openStored(id)]).toEqual([['destroyed', 'active'], 'secret']);
  });

  test('that were held up keep their key from being destroyed, or fail; what they stored is never lost', async () => {
    await store();
    const before = await vault.sealingRing(fixture.database.sql, workspaceId, 1);
    await stage();
    await promote();
    await rewrap();
    const id = randomUUID();
    await insertSecret(fixture.database.sql, before, workspaceId, id, 'late');
    await destroy();
    expect(await states()).toEqual(['decrypt_only', 'active']);
    await rewrap();
    await destroy();
    expect([await states(), await openStored(id)]).toEqual([['destroyed', 'active'], 'late']);
    await expect(insertSecret(fixture.database.sql, before, workspaceId, randomUUID(), 'too late')).rejects.toMatchObject({ code: 'conflict' });
  });

  test('that store at the moment of destruction are waited for', async () => {
    await store();
    const before = await vault.sealingRing(fixture.database.sql, workspaceId, 1);
    await stage();
    await promote();
    await rewrap();
    const id = randomUUID();
    const sealed = seal(before, [workspaceId, 'servers', id, '/x'], 'late');
    const { destroying } = await fixture.database.transaction(async (sql) => {
      await sql(`insert into secrets (workspace_id, owner_table, owner_id, field, sealed, key_term) values ($1, 'servers', $2, '/x', $3, 1)`, [workspaceId, id, sealed]);
      const started = destroy();
      await waitForBlocked();
      return { destroying: started };
    });
    await destroying;
    expect([await states(), await openStored(id)]).toEqual([['decrypt_only', 'active'], 'late']);
  });
});

test('values that were swapped between rows open no more after a rotation than before it, and their key is kept', async () => {
  const [first, second, whole] = [await store(workspaceId, 'one'), await store(workspaceId, 'two'), await store(workspaceId, 'three')];
  await fixture.query(
    'update secrets s set sealed = o.sealed from secrets o where s.owner_id = any($1) and o.owner_id = any($1) and s.owner_id <> o.owner_id',
    [[first, second]],
  );
  await rotate();
  expect(await rewrap()).toEqual([workspaceId]);
  for (const id of [first, second]) await expect(openStored(id)).rejects.toBeInstanceOf(UnsealError);
  expect(await openStored(whole)).toBe('three');
  expect(await fixture.query('select state, unreadable from data_keys where workspace_id = $1 order by term', [workspaceId])).toEqual([
    { state: 'decrypt_only', unreadable: 2 }, { state: 'active', unreadable: 0 },
  ]);
});

describe('another root key', () => {
  const next = rootKeyOf(randomBytes(32).toString('hex'));

  test('wraps nothing before every replica opens what it wraps; then everything is wrapped anew, and the one before is of no more use', async () => {
    const { database, rootKeys } = fixture;
    const both = new RootKeys(next, [rootKeys.current]);
    await checkSentinel(database, rootKeys);
    const id = await store();
    const upgraded = fixture.vault(both);
    const [old, fresh] = [uuidV7(), uuidV7()];
    await reportReplica(database.sql, old, rootKeys.ids, []);
    await reportReplica(database.sql, fresh, both.ids, []);

    await renewRoots(fixture.context(upgraded));
    await checkSentinel(database, rootKeys);
    // A key that the upgraded replica makes opens on the other one.
    const other = uuidV7();
    await fixture.query('insert into workspaces (id, name) values ($1, $2)', [other, `w-${other}`]);
    await upgraded.sealingRing(database.sql, other, 1);
    expect(await openStored(id)).toBe('secret');
    await expect(fixture.vault().openingRing(database.sql, other)).resolves.toMatchObject({ activeTerm: 1 });

    await reportReplica(database.sql, old, both.ids, []);
    for (let round = 0; round < 50; round += 1) await renewRoots(fixture.context(upgraded));
    expect(await fixture.query(`select distinct root from data_keys where state <> 'destroyed'`)).toEqual([{ root: next.id }]);
    const alone = new RootKeys(next);
    await checkSentinel(database, alone);
    expect(await openStored(id, workspaceId, fixture.vault(alone))).toBe('secret');
    await expect(checkSentinel(database, rootKeys)).rejects.toMatchObject({ code: 'vault_key_wrong' });
    await expect(openStored(id, workspaceId, fixture.vault())).rejects.toBeInstanceOf(UnsealError);
  });
});
