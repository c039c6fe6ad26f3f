import { describe, expect, test } from 'vitest';
import { useControlPlane } from '../../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
interface Issued {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: string | null;
}
const create = (body: Readonly<Record<string, unknown>>) => fixture.plane.send<Issued>('POST', '/v1/api-tokens', { body });
const statusWith = async (token: string): Promise<number> => (await fixture.plane.send('GET', '/v1/workspaces', { authorization: `Bearer ${token}` })).status;

test('a token is shown once, and works until it is revoked', async () => {
  const { status, body } = await create({ name: 'ci', role: 'editor' });
  expect([status, body.token]).toEqual([201, expect.stringMatching(/^gatehouse_api_[\w-]{43}$/)]);
  expect(await statusWith(body.token)).toBe(200);
  const list = await fixture.plane.send<{ items: Record<string, unknown>[] }>('GET', '/v1/api-tokens');
  expect(list.body.items).toMatchObject([{ name: 'ci', role: 'editor', createdBy: 'admin-token', lastUsedAt: expect.stringMatching(/^\d{4}-/) as string }]);
  expect(list.text).not.toContain(body.token);
  expect(JSON.stringify(await fixture.query('select to_jsonb(t) from api_tokens t'))).not.toContain(body.token);
  expect((await fixture.plane.send('DELETE', '/v1/api-tokens/ci')).status).toBe(204);
  expect(await statusWith(body.token)).toBe(401);
  expect((await fixture.plane.send('DELETE', '/v1/api-tokens/ci')).status).toBe(404);
});

test('the audit trail names it', async () => {
  const { body } = await create({ name: 'deployer', role: 'admin' });
  await fixture.plane.send('POST', '/v1/workspaces', { authorization: `Bearer ${body.token}`, body: { name: 'deployed' } });
  const events = await fixture.plane.send<{ items: { actor: string; action: string }[] }>('GET', '/v1/audit-events?limit=1');
  expect(events.body.items).toMatchObject([{ actor: 'api-token:deployer', action: 'workspace.created' }]);
});

describe('expiry', () => {
  test('is in 90 days, when somebody says, or never', async () => {
    const days = async (body: Readonly<Record<string, unknown>>) => {
      const { expiresAt } = (await create(body)).body;
      return expiresAt === null ? null : Math.round((new Date(expiresAt).getTime() - Date.now()) / 86_400_000);
    };
    expect(await days({ name: 'usual', role: 'auditor' })).toBe(90);
    expect(await days({ name: 'soon', role: 'auditor', expiresAt: new Date(Date.now() + 86_400_000).toISOString() })).toBe(1);
    expect(await days({ name: 'never', role: 'auditor', expiresAt: null })).toBeNull();
  });

  test('ends it', async () => {
    const { body } = await create({ name: 'short', role: 'auditor' });
    await fixture.query(`update api_tokens set expires_at = now() - interval '1 second' where name = 'short'`);
    expect(await statusWith(body.token)).toBe(401);
  });
});

test.each<[Record<string, unknown>, string]>([
  [{ role: 'editor' }, '/name'],
  [{ name: 'x', role: 'member' }, '/role'],
  [{ name: 'x', role: 'owner' }, '/role'],
  [{ name: 'x', role: 'editor', expiresAt: 'tomorrow' }, '/expiresAt'],
  [{ name: 'x', role: 'editor', expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
  [{ name: 'x', role: 'editor', scope: 'all' }, '/scope'],
])('%j is refused at %s', async (body, pointer) => {
  expect((await create(body)).body).toMatchObject({ status: 422, errors: [{ pointer }] });
});

test('a name that is taken', async () => {
  await create({ name: 'taken', role: 'editor' });
  expect((await create({ name: 'taken', role: 'editor' })).body).toMatchObject({ status: 409, errors: [{ pointer: '/name' }] });
});

test('programs have nothing of their own', async () => {
  const { body } = await create({ name: 'program', role: 'admin' });
  const reply = await fixture.plane.send('GET', '/v1/me/sessions', { authorization: `Bearer ${body.token}` });
  expect(reply.body).toMatchObject({ status: 403, code: 'forbidden' });
  expect((await fixture.plane.send('GET', '/v1/me', { authorization: `Bearer ${body.token}` })).body).toEqual({ kind: 'api-token', role: 'admin', id: body.id, name: 'program' });
});
