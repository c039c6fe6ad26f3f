import type { ReadableHeaderPolicy, ReadableServer } from '@gatehouse/gateway-config';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PassThroughPage } from '../header-policy/pass-through-report.service.ts';
import { sampleServer } from '../spec-support/sample-server.ts';
import { until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';
import type { Explanation } from './explain/explanation.ts';
import type { ServerPage } from './server-page.ts';

const fixture = useControlPlane();
const servers = '/v1/workspaces/default/servers';
const passthrough = { agentAuth: { type: 'passthrough' }, appAuth: { type: 'passthrough' } };
const list = async (query = '') => (await fixture.plane.send<ServerPage<ReadableServer>>('GET', `${servers}${query}`)).body;
const report = async (query = '') => (await fixture.plane.send<PassThroughPage>('GET', `/v1/header-policy/servers${query}`)).body;
const namesOf = ({ items, unreadable }: { items: readonly { name: string }[]; unreadable?: readonly { name: string }[] }) => [items, unreadable].map((rows) => rows?.map(({ name }) => name));
const store = (document: unknown) => fixture.query(`update servers set document = $1 where name = 'broken'`, [JSON.stringify(document)]);
const replace = (body: object) => fixture.plane.send<ReadableServer>('PUT', `${servers}/broken`, { body, headers: { 'If-Match': '*' } });

beforeAll(async () => {
  for (const name of ['a', 'broken', 'c']) {
    const reply = await fixture.plane.send('POST', servers, { body: sampleServer(name, passthrough) });
    expect(reply.status, reply.text).toBe(201);
  }
});

const sample = { ...sampleServer('broken', passthrough), enabled: true };

describe.each<[string, unknown]>([
  ['an authentication of tomorrow', { ...sample, agentAuth: { type: 'of-tomorrow' } }],
  ['rules of tomorrow', { ...sample, access: { allow: 'everyone' } }],
  ['another kind', { ...sample, type: 'of-tomorrow' }],
  ['tools of tomorrow', { ...sample, type: 'api', tools: { ofTomorrow: true } }],
  ['no name', { ...sample, name: 5 }],
  ['nothing', {}],
  ['a list', []],
  ['null', null],
  ['text', 'broken'],
])('a server that is stored with %s', (_, document) => {
  test('is told of apart, and fails neither lists nor what the others are', async () => {
    await store(document);
    const page = await list();
    expect(namesOf(page)).toEqual([['a', 'c'], ['broken']]);
    expect(page.unreadable).toMatchObject([{ workspace: 'default', name: 'broken', warnings: [{ code: 'server_unreadable', pointer: '' }] }]);
    expect(namesOf(await report())).toEqual([['a', 'c'], ['broken']]);
    expect((await fixture.plane.send('GET', `${servers}/a`)).status).toBe(200);
  });

  test('is refused by name wherever it would have to be read, and can be replaced', async () => {
    await store(document);
    const calls: [string, string, object?][] = [['GET', ''], ['PATCH', '', { title: 'x' }], ['POST', '/test', {}], ['POST', '/discover', {}], ['POST', '/explain', { request: {} }]];
    for (const [method, path, body] of calls) {
      const reply = await fixture.plane.send<{ code: string }>(method, `${servers}/broken${path}`, { ...(body && { body }), headers: method === 'PATCH' ? { 'If-Match': '*' } : {} });
      expect([method, path, reply.status, reply.body.code]).toEqual([method, path, 500, 'server_unreadable']);
    }
    const replaced = await replace(sampleServer('broken', passthrough));
    expect([replaced.status, replaced.body.warnings]).toEqual([200, []]);
    expect(namesOf(await list())).toEqual([['a', 'broken', 'c'], undefined]);
  });
});

test('page by page each is on one page, readable or not', async () => {
  await store([]);
  for (const read of [list, report]) {
    const pages: unknown[] = [];
    for (let query = '?limit=1'; query !== ''; ) {
      const page = await read(query);
      pages.push(namesOf(page));
      query = page.nextCursor === undefined ? '' : `?limit=1&cursor=${page.nextCursor}`;
    }
    expect(pages).toEqual([[['a'], undefined], [[], ['broken']], [['c'], undefined]]);
  }
});

test('one that can be shown, and that data planes would not take, says so', async () => {
  await store({ ...sample, ofTomorrow: true });
  expect((await fixture.plane.send<ReadableServer>('GET', `${servers}/broken`)).body).toMatchObject({ name: 'broken', warnings: [{ code: 'server_unreadable', pointer: '' }] });
  expect(namesOf(await report())).toEqual([['a', 'c'], ['broken']]);
});

test('the others are published, whatever is stored beside them', async () => {
  for (const document of [null, [], { agentAuth: 5 }]) {
    await store(document);
    const { revision } = (await fixture.plane.send<ReadableServer>('PATCH', `${servers}/a`, { body: { title: JSON.stringify(document) }, headers: { 'If-Match': '*' } })).body;
    await until(async () => ((await fixture.plane.channel.readState())?.revision ?? -1) >= revision);
  }
});

test('it can be deleted', async () => {
  await store([]);
  expect((await fixture.plane.send('DELETE', `${servers}/broken`, { headers: { 'If-Match': '*' } })).status).toBe(204);
  expect(namesOf(await list())).toEqual([['a', 'c'], undefined]);
});

test('under a global policy that cannot be read servers are listed, reported and explained, and nothing passes that needs it', async () => {
  const put = await fixture.plane.send<ReadableHeaderPolicy>('PUT', '/v1/header-policy', { body: { mode: 'all' }, headers: { 'If-Match': '*' } });
  expect(put.status).toBe(200);
  await fixture.plane.send('POST', servers, { body: sampleServer('plain') });
  const explain = async () => (await fixture.plane.send<Explanation>('POST', `${servers}/plain/explain`, { body: { request: { headers: ['X-Any: 1'] } } })).body;
  expect((await explain()).verdicts[0]).toMatchObject({ name: 'X-Any', action: 'kept' });
  await fixture.query(`update header_policy set document = '{"mode": "of-tomorrow"}'`);
  const { verdicts, warnings } = await explain();
  expect([verdicts[0], warnings.map(({ code }) => code)]).toMatchObject([{ name: 'X-Any', action: 'dropped', reason: 'pass_through_off' }, expect.arrayContaining(['header_policy_unreadable'])]);
  expect((await report()).warnings).toMatchObject([{ code: 'header_policy_unreadable' }]);
  expect((await report()).items.map(({ forwards }) => forwards.mode)).toEqual(['none', 'none']);
  expect(namesOf(await list())).toEqual([['a', 'c', 'plain'], undefined]);
});
