import { expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';
import type { ChainedAuditEvent } from './audit-event.ts';

const fixture = useControlPlane();
const servers = '/v1/workspaces/default/servers';
const events = async (query = '') => (await fixture.plane.send<{ items: ChainedAuditEvent[]; nextCursor?: string }>('GET', `/v1/audit-events${query}`)).body;
const verification = async () => (await fixture.plane.send('GET', '/v1/audit-events/verification')).body;

test('each change leaves an event that names fields and no values', async () => {
  const { plane } = fixture;
  await plane.send('POST', servers, { body: sampleServer('orders') });
  await plane.send('PATCH', `${servers}/orders`, { body: { title: 'marked-title', appAuth: { token: 'marked-secret' } }, headers: { 'If-Match': '*' } });
  await plane.send('PATCH', `${servers}/orders`, { body: { title: 'marked-title' }, headers: { 'If-Match': '*' } });
  await plane.send('POST', '/v1/workspaces', { body: { name: 'other' } });
  await plane.send('DELETE', `${servers}/orders`, { headers: { 'If-Match': '*' } });
  const { items } = await events();
  expect(items.map(({ action, fields }) => [action, fields])).toEqual([
    ['server.deleted', []],
    ['workspace.created', ['/name']],
    ['server.changed', ['/appAuth/token', '/title']],
    ['server.created', ['/agentAuth', '/appAuth', '/enabled', '/name', '/type', '/upstream']],
  ]);
  expect(items.every(({ actor, targetName }) => actor === 'admin-token' && targetName !== '')).toBe(true);
  expect(JSON.stringify(items)).not.toContain('marked');
});

test('a change that is refused leaves no event', async () => {
  const before = (await events()).items.length;
  await fixture.plane.send('POST', servers, { body: {} });
  await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'other' } });
  expect((await events()).items).toHaveLength(before);
});

test('they are listed by workspace, and page by page', async () => {
  const all = (await events('?workspace=default')).items.map(({ sequence }) => sequence);
  expect(all).toHaveLength(3);
  const first = await events('?workspace=default&limit=2');
  const second = await events(`?workspace=default&limit=2&cursor=${first.nextCursor}`);
  expect([...first.items, ...second.items].map(({ sequence }) => sequence)).toEqual(all);
  expect(second.nextCursor).toBeUndefined();
});

test('events at once form one chain', async () => {
  await Promise.all(Array.from({ length: 12 }, (_, index) => fixture.plane.send('POST', servers, { body: sampleServer(`at-once-${index}`) })));
  expect(await verification()).toEqual({ intact: true, events: 16 });
});

test('the table refuses changes', async () => {
  for (const statement of [`update audit_events set actor = 'nobody'`, 'delete from audit_events', 'truncate audit_events']) {
    await expect(fixture.query(statement)).rejects.toThrow('append-only');
  }
});

test.each([
  ['changed', `update audit_events set actor = 'nobody' where sequence = 3`, 3],
  ['removed', 'delete from audit_events where sequence = 5', 6],
  ['cut off', 'delete from audit_events where sequence > 14', 15],
])('an event that was %s by someone who may is found', async (_name, tamper, brokenAt) => {
  await fixture.query('create table saved as select * from audit_events');
  await fixture.query(`alter table audit_events disable trigger audit_events_append_only; ${tamper}`);
  expect(await verification()).toEqual({ intact: false, brokenAt });
  await fixture.query(`delete from audit_events; insert into audit_events select * from saved; drop table saved; alter table audit_events enable trigger audit_events_append_only`);
  expect(await verification()).toEqual({ intact: true, events: 16 });
});
