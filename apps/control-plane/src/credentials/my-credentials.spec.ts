import { unseal, UnsealError } from '@gatehouse/sealing';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestBrowser } from '../../../../test/support/test-browser.ts';
import { sampleServer } from '../spec-support/sample-server.ts';
import { logIn, publicOrigin, useLogin } from '../spec-support/use-login.ts';
import type { MyCredential } from './credential.dto.ts';
import { rootKeyOf } from '../spec-support/use-vault.ts';
import { RootKeys } from '../vault/root-keys/root-keys.ts';
import { Vault } from '../vault/vault.ts';
import { userCredentialContext } from './user-credentials.store.ts';

const fixture = useLogin();
const path = '/v1/me/credentials';
let ana: TestBrowser;
let ben: TestBrowser;
let credential: string;

const as = <Body = MyCredential>(browser: TestBrowser, method: string, at: string, body?: unknown) =>
  fixture.plane.send<Body>(method, at, { authorization: undefined, headers: { Cookie: browser.cookieHeader(new URL(publicOrigin)), 'X-Gatehouse-CSRF': '1' }, ...(body !== undefined && { body }) });
const put = (browser: TestBrowser, value: string, id = credential) => as(browser, 'PUT', `${path}/${id}`, { value });
const list = async (browser: TestBrowser): Promise<readonly MyCredential[]> => (await as<{ items: MyCredential[] }>(browser, 'GET', path)).body.items;
async function make(workspace: string, body: unknown): Promise<string> {
  const reply = await fixture.plane.send<{ id: string }>('POST', `/v1/workspaces/${workspace}/credentials`, { body });
  if (reply.status !== 201) throw new Error(reply.text);
  return reply.body.id;
}
const revoked = async (): Promise<string[]> => (await fixture.query<{ subject: string }>('select subject from token_revocations')).map(({ subject }) => subject);
const valueIds = async (): Promise<string[]> => (await fixture.query<{ id: string }>('select id from user_credentials')).map(({ id }) => id);

beforeAll(async () => {
  [ana, ben] = [fixture.browser(), fixture.browser()];
  await logIn(ana, 'ana');
  await logIn(ben, 'ben');
  await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'sales', access: { allow: [{ group: 'sales' }] } } });
});
beforeEach(async () => {
  await fixture.query('delete from credentials; delete from token_revocations');
  credential = await make('default', { name: 'jira', title: 'Jira token', description: 'Profile → API tokens', scope: 'user' });
});

test('a person enters a value of their own, changes it and deletes it', async () => {
  expect(await list(ana)).toEqual([{ id: credential, workspace: 'default', name: 'jira', title: 'Jira token', description: 'Profile → API tokens', value: { set: false } }]);
  const entered = await put(ana, 'canary-of-ana');
  expect(entered).toMatchObject({ status: 200, body: { id: credential, value: { set: true } } });
  expect([await list(ana), await list(ben)]).toMatchObject([[entered.body], [{ value: { set: false } }]]);

  const [former = ''] = await valueIds();
  expect(await revoked()).toEqual([]);
  expect((await put(ana, 'canary-of-ana-2')).status).toBe(200);
  expect(await revoked()).toEqual([former]);
  const [current = ''] = await valueIds();
  expect((await as(ana, 'DELETE', `${path}/${credential}`)).status).toBe(204);
  expect((await revoked()).toSorted()).toEqual([former, current].toSorted());
  expect((await as(ana, 'DELETE', `${path}/${credential}`)).status).toBe(404);

  const { body } = await fixture.plane.send<{ items: { action: string; actorName?: string; targetName: string; workspace: string; fields: string[] }[] }>('GET', '/v1/audit-events');
  expect(body.items.slice(0, 3).map(({ action, actorName, targetName, workspace, fields }) => [action, actorName, targetName, workspace, fields])).toEqual([
    ['credential.value-removed', 'Ana Martín', 'jira', 'default', ['/value']],
    ['credential.value-set', 'Ana Martín', 'jira', 'default', ['/value']],
    ['credential.value-set', 'Ana Martín', 'jira', 'default', ['/value']],
  ]);
});

test('P15 the value is sealed to its person, and never read', async () => {
  const texts = [(await put(ana, 'canary-of-ana')).text, JSON.stringify(await list(ana)), (await fixture.plane.send('GET', `/v1/workspaces/default/credentials/jira/users`)).text];
  for (const text of texts) expect(text).not.toContain('canary');
  const [row] = await fixture.query<{ id: string; workspaceId: string; credentialId: string; personId: string; sealed: Buffer }>(
    'select id, workspace_id as "workspaceId", credential_id as "credentialId", person_id as "personId", sealed from user_credentials',
  );
  if (!row) throw new Error('nothing is stored');
  expect(row.sealed.toString('latin1')).not.toContain('canary');
  const vault = new Vault(new RootKeys(rootKeyOf(fixture.plane.environment['GATEHOUSE_VAULT_KEY'] ?? '')));
  const ring = await vault.openingRing((text, parameters = []) => fixture.query(text, [...parameters]), row.workspaceId);
  expect(unseal(ring, userCredentialContext(row), row.sealed).toString()).toBe('canary-of-ana');
  expect(() => unseal(ring, userCredentialContext({ ...row, personId: row.id }), row.sealed)).toThrow(UnsealError);
});

describe('what is refused', () => {
  test.each([
    ['no value', {}],
    ['an empty one', { value: '' }],
    ['null', { value: null }],
    ['one that no header can hold', { value: 'a\u0000b' }],
    ['more than a value', { value: 'x', scope: 'workspace' }],
  ])('%s', async (_name, body) => {
    expect((await as(ana, 'PUT', `${path}/${credential}`, body)).status).toBe(422);
    expect(await valueIds()).toEqual([]);
  });

  test('a value for what has one of the workspace’s', async () => {
    const id = await make('default', { name: 'search', scope: 'workspace', value: 'x' });
    expect((await put(ana, 'mine', id)).status).toBe(404);
    expect((await list(ana)).map(({ name }) => name)).toEqual(['jira']);
  });

  test('names in the place of ids, and ids of nothing', async () => {
    for (const id of ['jira', '00000000-0000-7000-8000-000000000000', 'x%00']) expect([id, (await put(ana, 'mine', id)).status]).toEqual([id, 404]);
  });

  test('cursors that are no ids', async () => {
    for (const text of ['1jira', `1${'-'.repeat(36)}`]) expect((await as(ana, 'GET', `${path}?cursor=${Buffer.from(text).toString('base64url')}`)).status).toBe(400);
  });
});

test('who does not belong to a workspace finds nothing of it, but may delete what they have there', async () => {
  const id = await make('sales', { name: 'crm', scope: 'user' });
  expect((await list(ana)).map(({ name }) => name)).toEqual(['jira', 'crm']);
  expect((await list(ben)).map(({ name }) => name)).toEqual(['jira']);
  expect((await put(ben, 'mine', id)).status).toBe(404);
  expect((await put(ana, 'mine', id)).status).toBe(200);
  await fixture.plane.send('PATCH', '/v1/workspaces/sales', { body: { access: { allow: [{ group: 'nobody' }] } }, headers: { 'If-Match': '*' } });
  expect((await list(ana)).map(({ name, value }) => [name, value.set])).toEqual([['jira', false], ['crm', true]]);
  expect((await put(ana, 'another', id)).status).toBe(404);
  expect((await as(ana, 'DELETE', `${path}/${id}`)).status).toBe(204);
});

test('administrators see who has a value, and may delete it', async () => {
  await put(ana, 'canary-of-ana');
  await put(ben, 'canary-of-ben');
  const users = '/v1/workspaces/default/credentials/jira/users';
  const read = async () => (await fixture.plane.send<{ items: { user: { id: string; name: string; email: string } }[] }>('GET', users)).body.items.map(({ user }) => user);
  const [first, second] = await read();
  expect([first?.name, second?.name].toSorted()).toEqual(['Ana Martín', 'Ben']);
  expect((await fixture.plane.send('DELETE', `${users}/${first?.id ?? ''}`)).status).toBe(204);
  expect(await read()).toEqual([second]);
  expect((await fixture.plane.send('DELETE', `${users}/${first?.id ?? ''}`)).status).toBe(404);
  expect(await revoked()).toHaveLength(1);
});

test('with the credential, or its scope, every value ends', async () => {
  await put(ana, 'canary-of-ana');
  const of = '/v1/workspaces/default/credentials/jira';
  const changed = await fixture.plane.send<{ warnings: { code: string }[] }>('PATCH', of, { body: { scope: 'workspace', value: 'x' }, headers: { 'If-Match': '*' } });
  expect(changed.body.warnings.map(({ code }) => code)).toEqual(['values_ended']);
  expect([await valueIds(), await revoked()]).toEqual([[], [credential]]);
  const audit = await fixture.plane.send<{ items: { action: string }[] }>('GET', '/v1/audit-events');
  expect(audit.body.items.slice(0, 2).map(({ action }) => action)).toEqual(['credential.values-ended', 'credential.changed']);
  const id = await make('default', { name: 'another', scope: 'user' });
  await put(ana, 'canary-of-ana', id);
  expect((await fixture.plane.send('DELETE', `/v1/workspaces/default/credentials/another`, { headers: { 'If-Match': '*' } })).status).toBe(204);
  expect([await valueIds(), (await revoked()).toSorted()]).toEqual([[], [credential, id].toSorted()]);
});

describe('under another name', () => {
  const rename = (body: object) => fixture.plane.send<{ name: string; warnings: { code: string; pointer: string }[] }>('PATCH', '/v1/workspaces/default/credentials/jira', { body, headers: { 'If-Match': '*' } });
  beforeEach(async () => {
    await fixture.query('delete from servers');
    await put(ana, 'canary-of-ana');
  });

  test('values go to no server that sends that name already: nobody entered them for it', async () => {
    const outboundHeaders = [{ name: 'X-Key', source: { type: 'credential', name: 'crm', scope: 'user' } }];
    expect((await fixture.plane.send('POST', '/v1/workspaces/default/servers', { body: sampleServer('crm', { outboundHeaders }) })).status).toBe(201);
    const { status, body } = await rename({ name: 'crm' });
    expect([status, body.name, body.warnings.map(({ code, pointer }) => [code, pointer])]).toEqual([200, 'crm', [['values_ended', '/name']]]);
    expect([await valueIds(), await revoked(), (await list(ana)).map(({ name, value }) => [name, value.set])]).toEqual([[], [credential], [['crm', false]]]);
    const audit = await fixture.plane.send<{ items: { action: string; targetName: string; fields: string[] }[] }>('GET', '/v1/audit-events');
    expect(audit.body.items.slice(0, 2).map(({ action, targetName, fields }) => [action, targetName, fields])).toEqual([
      ['credential.values-ended', 'crm', ['/value']],
      ['credential.changed', 'crm', ['/name']],
    ]);
  });

  test('values stay that no server has sent', async () => {
    expect((await rename({ name: 'crm' })).body).toMatchObject({ name: 'crm', warnings: [] });
    expect([(await valueIds()).length, await revoked()]).toEqual([1, []]);
  });
});

test('who is deleted leaves no value, and data planes use none that they have', async () => {
  const browser = fixture.browser();
  await logIn(browser, 'ben');
  await put(browser, 'canary-of-ben');
  const { body: me } = await as<{ id: string }>(browser, 'GET', '/v1/me');
  expect((await fixture.plane.send('DELETE', `/v1/users/${me.id}`, { headers: { 'If-Match': '*' } })).status).toBe(204);
  expect(await valueIds()).toEqual([]);
  expect(await revoked()).toContain(me.id);
});
