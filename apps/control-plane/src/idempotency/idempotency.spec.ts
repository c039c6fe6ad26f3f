import { expect, test } from 'vitest';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const accounts = '/v1/workspaces/default/service-accounts';

interface Account {
  readonly id: string;
  readonly key: string;
}

const post = (key: string, body: unknown, path = accounts) => fixture.plane.send<Account>('POST', path, { body, headers: { 'Idempotency-Key': key } });
const count = async (): Promise<number> => Number((await fixture.query<{ count: string }>('select count(*) from service_accounts'))[0]?.count);

test('the same request again has the same answer, the key that is shown once included, and no other effect', async () => {
  const first = await post('a-1', { name: 'once', groups: ['ci'] });
  const again = await post('a-1', { groups: ['ci'], name: 'once' });
  expect([first.status, again.status]).toEqual([201, 201]);
  expect(again.body).toEqual(first.body);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  for (const header of ['etag', 'location']) expect(again.headers.get(header)).toBe(first.headers.get(header));
  expect(await count()).toBe(1);
  const stored = await fixture.query<{ row: string }>('select row_to_json(k)::text as row, encode(sealed_body, \'escape\') as body from idempotency_keys k');
  expect(JSON.stringify(stored)).not.toContain(first.body.key.slice(30));
});

test('the same key with another body is refused', async () => {
  expect((await post('a-1', { name: 'another' })).body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
});

test('the same key on another route is another key', async () => {
  expect((await post('a-1', { name: 'elsewhere' }, '/v1/workspaces')).status).toBe(201);
});

test('of duplicates at once one takes effect; the others say that it is running, or have its answer', async () => {
  const before = await count();
  const replies = await Promise.all(Array.from({ length: 8 }, () => post('b-1', { name: 'concurrent' })));
  const [created, ...rest] = replies.filter(({ status }) => status === 201).map(({ body }) => body.id);
  expect(created).toBeDefined();
  expect(new Set([created, ...rest]).size).toBe(1);
  for (const { status, body } of replies.filter((reply) => reply.status !== 201)) {
    expect([status, body]).toMatchObject([409, { code: 'idempotency_in_progress' }]);
  }
  expect(await count()).toBe(before + 1);
});

test('a request that was refused may be corrected under its key', async () => {
  expect((await post('c-1', { name: 'Not A Slug' })).status).toBe(422);
  expect((await post('c-1', { name: 'a-slug' })).status).toBe(201);
});

test('a key is kept for a day, and a claim whose process died before its change for a minute', async () => {
  await post('d-1', { name: 'aged' });
  await fixture.query(`update idempotency_keys set created_at = now() - interval '23 hours' where key = 'd-1'`);
  expect((await post('d-1', { name: 'aged' })).headers.get('idempotency-replayed')).toBe('true');
  await fixture.query(`update idempotency_keys set created_at = now() - interval '25 hours' where key = 'd-1'`);
  expect((await post('d-1', { name: 'aged' })).body).toMatchObject({ code: 'name_taken' });

  await post('d-2', { name: 'abandoned' });
  // As if the audit event, which has the attempt's id, and the change had never been committed.
  await fixture.query(`alter table audit_events disable trigger audit_events_append_only;
    update audit_events set id = gen_random_uuid() where id = (select attempt from idempotency_keys where key = 'd-2');
    alter table audit_events enable trigger audit_events_append_only`);
  await fixture.query(`update idempotency_keys set status = null, created_at = now() - interval '30 seconds' where key = 'd-2'`);
  expect((await post('d-2', { name: 'abandoned' })).body).toMatchObject({ code: 'idempotency_in_progress' });
  await fixture.query(`update idempotency_keys set created_at = now() - interval '61 seconds' where key = 'd-2'`);
  expect((await post('d-2', { name: 'abandoned' })).body).toMatchObject({ code: 'name_taken' });
});

test('a process that died between a change and its answer leaves a key that does not make the change again', async () => {
  const { body } = await post('e-1', { name: 'died-late' });
  const rotate = () => post('e-2', {}, `${accounts}/${body.id}/rotate-key`);
  expect((await rotate()).status).toBeLessThan(300);
  const keyId = () => fixture.query(`select key_id from service_accounts where name = 'died-late'`);
  const rotated = await keyId();
  await fixture.query(`update idempotency_keys set status = null, headers = null, sealed_body = null, created_at = now() - interval '61 seconds' where key = 'e-2'`);
  expect((await rotate()).body).toMatchObject({ status: 409, code: 'conflict', errors: [{ code: 'answer_lost' }] });
  expect(await keyId()).toEqual(rotated);
});

test('a key that is no key is refused', async () => {
  expect((await post('x'.repeat(256), { name: 'long' })).body).toMatchObject({ status: 400, errors: [{ pointer: '/Idempotency-Key' }] });
});
