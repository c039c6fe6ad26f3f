import { Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { Database } from '../database/database.ts';
import { openDataSource } from '../database/open-data-source.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';
import type { CallEvent } from './call-event.ts';
import { dayOf, makePartitions, tidyPartitions } from './call-event-partitions.ts';

const fixture = useControlPlane();
let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  const dataSource = await openDataSource({ url: new Secret(fixture.databaseUrl), poolSize: 2 }).initialize();
  database = new Database(dataSource);
  close = () => dataSource.destroy();
});
afterAll(() => close?.());
beforeEach(() => fixture.query('delete from call_events'));

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** Noon, so that an hour before and after is the same day. */
const noon = dayOf(Date.now()) * dayMs - dayMs / 2;
const event = (more: Partial<CallEvent> = {}, ms = noon): CallEvent => ({
  id: uuidV7(ms), at: new Date(ms).toISOString(), dataPlane: 'one', workspace: 'default', server: 'orders', serverId: 'id-of-orders', caller: 'person:ana', callerKind: 'person', endpoint: 'mcp',
  http: 'POST', era: 'modern', method: 'tools/call', tool: 'search', outcome: 'ok', credentials: ['connection', 'identity'], headers: { kept: 2, not_selected: 1 }, upstreamStatus: 200, upstreamMs: 1.23, durationMs: 2.5, ...more,
});
const append = (...events: unknown[]): Promise<number> => fixture.plane.callEvents.append(events.map((one) => JSON.stringify(one)));
const rows = async (): Promise<number> => (await fixture.query<{ count: number }>('select count(*)::int as count from call_events'))[0]?.count ?? 0;
const allStored = (): Promise<void> => vi.waitFor(async () => expect((await fixture.plane.callEvents.waiting()).batches).toBe(0), { timeout: 20_000 });
const list = async (query = '') => (await fixture.plane.send<{ items: CallEvent[]; nextCursor?: string; code?: string; errors?: { pointer: string }[] }>('GET', `/v1/call-events${query}`)).body;
const toolsOf = (items: readonly CallEvent[]): (string | undefined)[] => items.map(({ tool }) => tool);
async function counted(outcome: string): Promise<number> {
  const line = (await (await fetch(`${fixture.plane.internalUrl}/metrics`)).text()).split('\n').find((text) => text.startsWith(`gatehouse_control_plane_call_events_total{outcome="${outcome}"}`));
  return Number(line?.split(' ').at(-1) ?? 0);
}
const partitions = async (): Promise<string[]> =>
  (await fixture.query<{ name: string }>(`select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'call_events'::regclass order by 1`)).map(({ name }) => name);

test('what data planes append is listed as they said it, the newest first, what is not said left out', async () => {
  const [full, bare] = [event({ member: 'pets' }), { id: uuidV7(noon + 1), at: new Date(noon + 1).toISOString(), dataPlane: 'one', workspace: 'default', server: 'orders', serverId: '1', outcome: 'unauthenticated', durationMs: 1 }];
  await append(full);
  await append({ ...bare, ofALaterRelease: true });
  await allStored();
  expect((await list()).items).toEqual([bare, full]);
});

test('a batch that comes twice is stored once', async () => {
  const [first, second] = [event(), event()];
  const before = [await counted('stored'), await counted('duplicate')] as const;
  await append(first);
  await append(first, second);
  await allStored();
  expect(await rows()).toBe(2);
  expect([await counted('stored'), await counted('duplicate')]).toEqual([before[0] + 2, before[1] + 1]);
});

test('what makes no sense is dropped and counted, and costs the rest of its batch nothing', async () => {
  const before = [await counted('malformed'), await counted('out_of_range')] as const;
  await fixture.plane.callEvents.append(['{"not": "json"', '1']);
  await fixture.plane.callEvents.append(['null', '[]', '{}', JSON.stringify({ ...event(), durationMs: -1 }), JSON.stringify({ ...event(), at: 'yesterday' }), JSON.stringify({ ...event(), id: 'x' })]);
  await append(event({}, Date.now() - 31 * dayMs), event({}, Date.now() + 2 * dayMs), event({ tool: 'a\u0000b\ud83d', caller: `person:'); drop table call_events; --` }));
  await allStored();
  expect(await rows()).toBe(1);
  expect((await list()).items[0]).toMatchObject({ tool: 'ab\ufffd', caller: `person:'); drop table call_events; --` });
  expect([await counted('malformed'), await counted('out_of_range')]).toEqual([before[0] + 7, before[1] + 2]);
});

test('what the database does not take is dropped and counted, and does not hold up the rest for ever', async () => {
  const before = await counted('refused');
  await fixture.query(`alter table call_events add constraint spec check (tool <> 'poison')`);
  await append(event({ tool: 'one' }), event({ tool: 'poison' }), event({ tool: 'two' }));
  await allStored();
  await fixture.query('alter table call_events drop constraint spec');
  expect((await list()).items.map(({ tool }) => tool).toSorted()).toEqual(['one', 'two']);
  expect(await counted('refused')).toBe(before + 1);
});

test('while the database does not take them, events stay in the stream; then they are stored', async () => {
  await fixture.query('alter table call_events rename to call_events_away');
  await append(event());
  await vi.waitFor(async () => expect(await (await fetch(`${fixture.plane.internalUrl}/metrics`)).text()).toMatch(/call_event_failures_total [1-9]/));
  expect((await fixture.plane.callEvents.waiting()).batches).toBe(1);
  await fixture.query('alter table call_events_away rename to call_events');
  await allStored();
  expect(await rows()).toBe(1);
});

test.each([
  ['a workspace', 'workspace=other', ['w']],
  ['a server', 'server=pets', ['s']],
  ['several at once', 'workspace=default&server=orders&caller=person:ana&outcome=ok', ['newest', 'oldest']],
  ['a caller', 'caller=service-account:1', ['c']],
  ['a tool', 'tool=oldest', ['oldest']],
  ['an outcome', 'outcome=upstream_timeout', ['o']],
  ['a moment, inclusive', `from=${new Date(noon).toISOString()}`, ['newest', 'w', 's', 'c', 'o']],
  ['a moment in another notation, exclusive', `to=${encodeURIComponent(new Date(noon).toISOString().replace('Z', '+00:00'))}`, ['oldest']],
  ['what there is not', 'workspace=nowhere', []],
])('they are found by %s', async (_name, query, tools) => {
  const at = (ms: number, more: Partial<CallEvent>) => event(more, noon + ms);
  await append(
    at(-hourMs, { tool: 'oldest' }), at(0, { tool: 'o', outcome: 'upstream_timeout' }), at(1, { tool: 'c', caller: 'service-account:1' }), at(2, { tool: 's', server: 'pets' }), at(3, { tool: 'w', workspace: 'other' }), at(hourMs, { tool: 'newest' }),
  );
  await allStored();
  expect(toolsOf((await list(`?${query}`)).items)).toEqual(tools);
});

test('pages go on where the one before ended, also between events of one moment and of two days', async () => {
  const events = [noon - dayMs, noon - dayMs, noon, noon, noon].map((ms, index) => event({ tool: String(index) }, ms));
  await append(...events.toReversed());
  await allStored();
  const seen: CallEvent[] = [];
  let cursor: string | undefined = '';
  for (let page = 0; cursor !== undefined && page < 10; page += 1) {
    const { items, nextCursor } = await list(`?limit=2&cursor=${cursor}`.replace(/&cursor=$/, ''));
    seen.push(...items);
    cursor = nextCursor;
  }
  expect(seen).toHaveLength(5);
  expect(seen).toEqual(seen.toSorted((a, b) => (a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1)));
});

test.each(['from=yesterday', 'to=2026-13-01T00:00:00Z', 'workspace=a&workspace=b', 'tool=%00', 'cursor=MTIz', `cursor=${Buffer.from('1-1.x').toString('base64url')}`, 'limit=0'])('%s is no question', async (query) => {
  const { code, errors } = await list(`?${query}`);
  expect([code, errors?.[0]?.pointer]).toEqual(['invalid_request', `/${query.split('=')[0]}`]);
});

test('days have a partition each; old ones are dropped, those of the next days are made', async () => {
  const today = dayOf(Date.now());
  await makePartitions(database, [today - 40, today - 31, today - 30]);
  await Promise.all([makePartitions(database, [today - 3]), makePartitions(database, [today - 3])]);
  await append(event({ tool: 'kept' }, noon - 10 * dayMs));
  await allStored();
  const nameOf = (day: number): string => `call_events_${new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '_')}`;
  expect(await tidyPartitions(database, 30)).toEqual([nameOf(today - 40), nameOf(today - 31)]);
  const left = await partitions();
  for (const day of [today - 30, today - 11, today, today + 1, today + 2]) expect(left).toContain(nameOf(day));
  expect(left).not.toContain(nameOf(today - 31));
  expect(await tidyPartitions(database, 30)).toEqual([]);
  expect(toolsOf((await list()).items)).toEqual(['kept']);
});

test('a partition that is gone, as after a restore, is made again', async () => {
  await append(event());
  await allStored();
  for (const name of await partitions()) await fixture.query(`drop table ${name}`);
  await append(event());
  await allStored();
  expect(await rows()).toBe(1);
});
