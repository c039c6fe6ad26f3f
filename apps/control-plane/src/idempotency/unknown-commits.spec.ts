import { afterAll, beforeAll, expect, test } from 'vitest';
import { runSql, startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { type BreakingLine, startBreakingLine } from '../spec-support/breaking-line.ts';
import { startTestControlPlane, type TestControlPlane, testEnvironment } from '../spec-support/start-test-control-plane.ts';

const accounts = '/v1/workspaces/default/service-accounts';
let postgres: TestPostgres;
let databaseUrl: string;
let line: BreakingLine;
let plane: TestControlPlane;

beforeAll(async () => {
  postgres = await startTestPostgres();
  databaseUrl = await postgres.createDatabase();
  line = await startBreakingLine(databaseUrl);
  plane = await startTestControlPlane({ environment: testEnvironment(line.url) });
});
afterAll(async () => {
  await plane?.close();
  await line?.close();
  await postgres?.close();
});

const post = (name: string, key?: string) =>
  plane.send<{ code: string }>('POST', accounts, { body: { name }, headers: key === undefined ? {} : { 'Idempotency-Key': key } });
const count = async (name: string): Promise<number> =>
  Number((await runSql<{ count: string }>(databaseUrl, 'select count(*) from service_accounts where name = $1', [name]))[0]?.count);
const aMinuteLater = (key: string) => runSql(databaseUrl, `update idempotency_keys set created_at = now() - interval '61 seconds' where key = $1`, [key]);

test.each([['before', 0], ['after', 1]] as const)('a connection that breaks %s the commit: nobody claims to know what happened', async (when, changes) => {
  line.breakAtCommit(when);
  const reply = await post(`unknown-${when}`);
  expect([reply.status, reply.body.code]).toEqual([503, 'commit_unknown']);
  expect(reply.text).not.toContain('nothing was changed');
  expect(await count(`unknown-${when}`)).toBe(changes);
});

test('the change was made: its idempotency key never makes it again, and says that the answer is lost', async () => {
  line.breakAtCommit('after');
  expect((await post('made', 'made-1')).body.code).toBe('commit_unknown');
  expect((await post('made', 'made-1')).body.code).toBe('idempotency_in_progress');
  await aMinuteLater('made-1');
  const late = await post('made', 'made-1');
  expect(late.body).toMatchObject({ status: 409, code: 'conflict', errors: [{ pointer: '/Idempotency-Key', code: 'answer_lost' }] });
  expect(await count('made')).toBe(1);
});

test('the change was not made: its idempotency key makes it, once that is certain', async () => {
  line.breakAtCommit('before');
  expect((await post('lost', 'lost-1')).body.code).toBe('commit_unknown');
  expect((await post('lost', 'lost-1')).body.code).toBe('idempotency_in_progress');
  await aMinuteLater('lost-1');
  expect((await post('lost', 'lost-1')).status).toBe(201);
  expect((await post('lost', 'lost-1')).headers.get('idempotency-replayed')).toBe('true');
  expect(await count('lost')).toBe(1);
});
