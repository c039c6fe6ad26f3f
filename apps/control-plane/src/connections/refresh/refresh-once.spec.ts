import { beforeEach, describe, expect, test } from 'vitest';
import { never } from '../../../../../test/support/strict-oauth-provider.ts';
import { type Replica, useRefreshers } from '../../spec-support/use-refreshers.ts';
import { readConnection } from '../connections.store.ts';
import type { RefreshOutcome } from './connection-refresher.ts';

const fixture = useRefreshers({ accessTokenSeconds: 3600 });
beforeEach(() => fixture.provider.interfere({}));

const patient = { patienceMs: 15_000 };
const rowOf = async (id: string) => (await fixture.query<Record<string, unknown>>('select * from connections where id = $1', [id]))[0];
const metricOf = async ({ metrics }: Replica, name: string): Promise<number> => (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value ?? 0;
/** Whether the provider takes what is stored. */
async function isAccepted({ seals, database }: Replica, id: string): Promise<boolean> {
  const row = await readConnection(database.sql, id);
  return row !== undefined && fixture.provider.accepts((await seals.open(row)).accessToken.reveal());
}

test.each<[string, object, boolean]>([
  ['of the same issuer, subject and audience', { iat: 2 }, true],
  ['that names its audience as a list', { aud: ['gatehouse'] }, true],
  ['of another subject', { sub: 'ben' }, false],
  ['of another issuer', { iss: 'https://other.example' }, false],
  ['for another audience', { aud: 'another' }, false],
  ['for another audience besides', { aud: ['gatehouse', 'another'] }, false],
  ['without a subject', { sub: undefined }, false],
])('an ID token %s comes with a refresh (OpenID Connect Core section 12.2)', async (_what, more, isKept) => {
  const idToken = (claims: object) => ['e30', Buffer.from(JSON.stringify({ iss: 'https://corp.example', sub: 'ana', aud: 'gatehouse', iat: 1, ...claims })).toString('base64url'), 's'].join('.');
  const replica = await fixture.replica({ fetch: async (url, init) => {
    const reply = await fetch(url, init);
    return Response.json({ ...((await reply.json()) as object), id_token: idToken(more) }, { status: reply.status });
  } });
  const id = await fixture.connect({ idToken: idToken({}) });
  expect(await replica.refresher.refresh({ id, tokenVersion: 1 })).toMatchObject({ result: 'renewed' });
  const row = await readConnection(replica.database.sql, id);
  expect((await replica.seals.open(row as NonNullable<typeof row>)).idToken?.reveal()).toBe(idToken(isKept ? more : {}));
  expect(await isAccepted(replica, id)).toBe(true);
});

test('two replicas, twenty callers each, three expiries: one refresh each, and everybody has the new token', async () => {
  const replicas = await Promise.all([fixture.replica(), fixture.replica()]);
  const id = await fixture.connect();
  const { refreshes, revokedFamilies } = fixture.provider;
  for (const version of [1, 2, 3]) {
    await fixture.query(`update connections set expires_at = now() - interval '1 second', last_used_at = now() where id = $1`, [id]);
    const callers = replicas.flatMap(({ refresher }) => Array.from({ length: 20 }, () => refresher.refresh({ id, tokenVersion: version }, patient)));
    const outcomes = await Promise.all(callers);
    expect(outcomes.map((outcome) => [outcome.result, 'row' in outcome && outcome.row.tokenVersion])).toEqual(outcomes.map(() => ['renewed', version + 1]));
    expect(fixture.provider.refreshes - refreshes).toBe(version);
  }
  expect(fixture.provider.revokedFamilies).toBe(revokedFamilies);
  expect(await isAccepted(replicas[0], id)).toBe(true);
  const answers = await Promise.all(replicas.map(async ({ metrics }) => /token_refresh_duration_seconds_count\{answer="answered"\} (\d+)/.exec(await metrics.registry.metrics())?.[1] ?? 0));
  expect(answers.map(Number).reduce((sum, count) => sum + count)).toBe(3);
});

describe('kill -9 of the holder', () => {
  test('before its request: another replica refreshes once the lease has run out', async () => {
    const dead = await fixture.replica({ fetch: never });
    const alive = await fixture.replica();
    const id = await fixture.connect();
    const { refreshes, revokedFamilies } = fixture.provider;
    void dead.refresher.refresh({ id, tokenVersion: 1 });
    await expect.poll(async () => (await rowOf(id))?.['lease_owner']).not.toBeNull();
    expect(await alive.refresher.refresh({ id, tokenVersion: 1 }, patient)).toMatchObject({ result: 'renewed', row: { tokenVersion: 2, state: 'active' } });
    expect([fixture.provider.refreshes - refreshes, fixture.provider.revokedFamilies - revokedFamilies]).toEqual([1, 0]);
    expect(await metricOf(alive, 'gatehouse_lost_rotations_total')).toBe(0);
  });

  test('after its request, before the commit: a lost rotation is noticed when the provider says so, and counted', async () => {
    // It gets its answer and is never heard of again.
    const dead = await fixture.replica({ fetch: async (url, init) => (await (await fetch(url, init)).text(), never()) });
    const alive = await fixture.replica();
    const id = await fixture.connect();
    void dead.refresher.refresh({ id, tokenVersion: 1 });
    await expect.poll(async () => (await rowOf(id))?.['lease_owner']).not.toBeNull();
    expect(await alive.refresher.refresh({ id, tokenVersion: 1 }, patient)).toEqual({ result: 'refused' });
    expect(await rowOf(id)).toMatchObject({ state: 'reconnect_required', failure: 'lost_rotation' });
    expect(await metricOf(alive, 'gatehouse_lost_rotations_total')).toBe(1);
  });

  test('after its request, while the access token is good: nothing is risked as long as there is something to lose', async () => {
    const dead = await fixture.replica({ fetch: async (url, init) => (await (await fetch(url, init)).text(), never()) });
    const alive = await fixture.replica();
    const id = await fixture.connect({ expiresInSeconds: 3000 });
    const { revokedFamilies } = fixture.provider;
    void dead.refresher.refresh({ id, tokenVersion: 1 });
    await expect.poll(async () => (await rowOf(id))?.['lease_owner']).not.toBeNull();
    await fixture.query(`update connections set lease_until = now() - interval '1 second' where id = $1`, [id]);
    expect(await alive.refresher.refresh({ id, tokenVersion: 1 })).toEqual({ result: 'in-doubt' });
    expect(fixture.provider.revokedFamilies).toBe(revokedFamilies);
    expect(await isAccepted(alive, id)).toBe(true);
  });

  test('a provider that takes a refresh token again, or does not change it, is asked again at once', async () => {
    const dead = await fixture.replica({ fetch: never });
    const rotating = await fixture.replica({ refresh: { rotates: true, reuseSeconds: 30 } });
    const id = await fixture.connect({ expiresInSeconds: 3000 });
    void dead.refresher.refresh({ id, tokenVersion: 1 });
    await expect.poll(async () => (await rowOf(id))?.['lease_owner']).not.toBeNull();
    await fixture.query(`update connections set lease_until = now() - interval '1 second' where id = $1`, [id]);
    expect(await rotating.refresher.refresh({ id, tokenVersion: 1 })).toMatchObject({ result: 'renewed' });
  });
});

describe('a holder that sleeps past its lease', () => {
  test('before its request: it does not send what another has used meanwhile', async () => {
    let wake = (): void => undefined;
    const sleeper = await fixture.replica();
    const alive = await fixture.replica();
    const id = await fixture.connect();
    const { revokedFamilies, refreshes } = fixture.provider;
    // Asleep while the tokens are opened: after the lease, before the request.
    const open = sleeper.seals.open.bind(sleeper.seals);
    sleeper.seals.open = async (row) => {
      await new Promise<void>((resolve) => (wake = resolve));
      return open(row);
    };
    const sleeping = sleeper.refresher.refresh({ id, tokenVersion: 1 }, patient);
    await expect.poll(async () => (await rowOf(id))?.['lease_owner']).not.toBeNull();
    expect(await alive.refresher.refresh({ id, tokenVersion: 1 }, patient)).toMatchObject({ result: 'renewed' });
    wake();
    expect(await sleeping).toMatchObject({ result: 'renewed', row: { tokenVersion: 2 } });
    expect([fixture.provider.refreshes - refreshes, fixture.provider.revokedFamilies - revokedFamilies]).toEqual([1, 0]);
    expect(await isAccepted(alive, id)).toBe(true);
  });

  test('after its request: what it got counts as long as nobody has taken its place', async () => {
    const sleeper = await fixture.replica({ times: { leaseMs: 600, requestMs: 500 } });
    const alive = await fixture.replica();
    const id = await fixture.connect({ expiresInSeconds: 3000 });
    let wake = (): void => undefined;
    // Asleep between the answer and the transaction that stores it.
    const transaction = sleeper.database.transaction.bind(sleeper.database);
    const asleep = new Promise<void>((resolve) => (wake = resolve));
    sleeper.database.transaction = async (run) => (await asleep, transaction(run));
    const sleeping = sleeper.refresher.refresh({ id, tokenVersion: 1 });
    await expect.poll(async () => (await rowOf(id))?.['lease_owner'] !== null && (await fixture.query('select from connections where id = $1 and lease_until < now()', [id])).length).toBe(1);
    expect(await alive.refresher.refresh({ id, tokenVersion: 1 })).toEqual({ result: 'in-doubt' });
    wake();
    expect(await sleeping).toMatchObject({ result: 'renewed', row: { tokenVersion: 2 } });
    expect(await alive.refresher.refresh({ id, tokenVersion: 1 })).toMatchObject({ result: 'renewed', row: { tokenVersion: 2 } });
    expect(await isAccepted(alive, id)).toBe(true);
  });
});

describe('what the provider says', () => {
  const failing: [string, number | 'reset', RefreshOutcome['result']][] = [['500', 500, 'unavailable'], ['429', 429, 'unavailable'], ['a reset', 'reset', 'unavailable'], ['404', 404, 'misconfigured']];
  test.each(failing)('%s: nothing is lost, and it is asked again after a pause', async (_name, answer, result) => {
    const replica = await fixture.replica();
    const id = await fixture.connect();
    fixture.provider.interfere({ before: () => answer });
    expect(await replica.refresher.refresh({ id, tokenVersion: 1 })).toEqual({ result });
    expect(await rowOf(id)).toMatchObject({ state: 'active', token_version: 1, failures: 1, lease_owner: null, failure: result === 'unavailable' ? 'provider_unavailable' : result });
    const { requests } = fixture.provider;
    expect(await replica.refresher.refresh({ id, tokenVersion: 1 })).toEqual({ result });
    expect(fixture.provider.requests).toBe(requests);
    fixture.provider.interfere({});
    await fixture.query('update connections set retry_at = now() where id = $1', [id]);
    expect(await replica.refresher.refresh({ id, tokenVersion: 1 })).toMatchObject({ result: 'renewed', row: { failures: 0, failure: null } });
  });

  test('an answer that is reset on its way: the rotation is lost, and counted only when the provider says so', async () => {
    const replica = await fixture.replica();
    const id = await fixture.connect();
    fixture.provider.interfere({ after: () => 'reset' });
    expect(await replica.refresher.refresh({ id, tokenVersion: 1 })).toEqual({ result: 'unavailable' });
    expect(await rowOf(id)).toMatchObject({ state: 'active', failure: 'provider_unavailable' });
    expect((await rowOf(id))?.['in_doubt_since']).not.toBeNull();
    fixture.provider.interfere({});
    await fixture.query('update connections set retry_at = now() where id = $1', [id]);
    expect(await replica.refresher.refresh({ id, tokenVersion: 1 })).toEqual({ result: 'refused' });
    expect(await metricOf(replica, 'gatehouse_lost_rotations_total')).toBe(1);
  });

  test('invalid_grant is final where the tokens are the same', async () => {
    const replica = await fixture.replica();
    const id = await fixture.connect();
    // The person took it back at the provider.
    const { seals, database } = replica;
    const row = await readConnection(database.sql, id);
    const { refreshToken } = await seals.open(row as NonNullable<typeof row>);
    await fetch(fixture.provider.revocationUrl, {
      method: 'POST', headers: { Authorization: `Basic ${Buffer.from(`${fixture.provider.clientId}:${fixture.provider.clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ token: refreshToken?.reveal() ?? '' }),
    });
    expect(await replica.refresher.refresh({ id, tokenVersion: 1 })).toEqual({ result: 'refused' });
    expect(await rowOf(id)).toMatchObject({ state: 'reconnect_required', failure: 'refused' });
    expect(await metricOf(replica, 'gatehouse_lost_rotations_total')).toBe(0);
  });

  test('invalid_grant for tokens that another has changed meanwhile takes nothing from anyone', async () => {
    const replica = await fixture.replica();
    const id = await fixture.connect();
    fixture.provider.interfere({ before: async () => {
      await fixture.query('update connections set token_version = 2, lease_owner = null, lease_until = null where id = $1', [id]);
      return 400;
    } });
    await replica.refresher.refresh({ id, tokenVersion: 1 });
    expect(await rowOf(id)).toMatchObject({ state: 'active', token_version: 2, failures: 0 });
  });

  test('no refresh token in the answer: the one before stays', async () => {
    const replica = await fixture.replica({ fetch: async (url, init) => {
      const body = (await (await fetch(url, init)).json()) as Record<string, unknown>;
      const { refresh_token: _dropped, ...rest } = body;
      return Response.json(rest);
    } });
    const id = await fixture.connect();
    const { database, seals } = replica;
    const before = await readConnection(database.sql, id);
    const kept = (await seals.open(before as NonNullable<typeof before>)).refreshToken?.reveal();
    const outcome = await replica.refresher.refresh({ id, tokenVersion: 1 });
    expect(outcome).toMatchObject({ result: 'renewed', row: { rotates: false, refreshable: true } });
    expect('row' in outcome && (await seals.open(outcome.row)).refreshToken?.reveal()).toBe(kept);
  });
});

test('a connection that ends while it is refreshed leaves its new tokens to be revoked', async () => {
  const replica = await fixture.replica();
  const id = await fixture.connect();
  fixture.provider.interfere({ after: async () => void (await fixture.query('delete from connections where id = $1', [id])) });
  expect(await replica.refresher.refresh({ id, tokenVersion: 1 })).toEqual({ result: 'gone' });
  expect(await fixture.query('select connection_id from pending_revocations')).toEqual([{ connection_id: id }]);
});

test('a pool of two and two hundred waiting callers: an unrelated query goes on (fault 21)', async () => {
  const replica = await fixture.replica({ poolSize: 2 });
  const other = await fixture.replica();
  const [mine, theirs] = await Promise.all([fixture.connect(), fixture.connect()]);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  fixture.provider.interfere({ after: () => held });
  void other.refresher.refresh({ id: theirs, tokenVersion: 1 });
  await expect.poll(async () => (await rowOf(theirs))?.['lease_owner']).not.toBeNull();
  const waiting = Array.from({ length: 100 }, () => [mine, theirs].map((id) => replica.refresher.refresh({ id, tokenVersion: 1 }, patient))).flat();
  await expect.poll(async () => (await rowOf(mine))?.['lease_owner']).not.toBeNull();
  // None of them is answered before this is.
  for (let query = 0; query < 20; query += 1) expect(await replica.database.sql('select 1 as one')).toEqual([{ one: 1 }]);
  release();
  expect(new Set((await Promise.all(waiting)).map(({ result }) => result))).toEqual(new Set(['renewed']));
});
