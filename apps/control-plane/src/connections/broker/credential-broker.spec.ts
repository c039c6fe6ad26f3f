import { randomUUID } from 'node:crypto';
import type { TokenAnswer } from '@gatehouse/access-tokens';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { seal, sealedTerm } from '@gatehouse/sealing';
import { userCredentialContext } from '../../credentials/user-credentials.store.ts';
import { hashOf, useConnections } from '../../spec-support/use-connections.ts';
import { sampleServer } from '../../spec-support/sample-server.ts';
import { rootKeyOf } from '../../spec-support/use-vault.ts';
import { RootKeys } from '../../vault/root-keys/root-keys.ts';
import { Vault } from '../../vault/vault.ts';

const fixture = useConnections();
let credential: string;
let server: string;
let person: string;

async function make(path: string, body: unknown): Promise<string> {
  const reply = await fixture.plane.send<{ id: string }>('POST', `/v1/workspaces/default/${path}`, { body });
  expect(reply.status, reply.text).toBe(201);
  return reply.body.id;
}
const sends = (name: string, scope = 'user') => ({ agentAuth: { type: 'interactive' }, outboundHeaders: [{ name: 'X-Key', source: { type: 'credential', name, scope } }] });
/** As though they had entered it. @returns its id */
async function enter(value: string, personId = person, credentialId = credential): Promise<string> {
  const sql = <Row extends object>(text: string, parameters: readonly unknown[] = []) => fixture.query<Row>(text, [...parameters]);
  const vault = new Vault(new RootKeys(rootKeyOf(fixture.plane.environment['GATEHOUSE_VAULT_KEY'] ?? '')));
  const place = { id: randomUUID(), workspaceId: fixture.workspace, credentialId, personId };
  const sealed = seal(await vault.sealingRing(sql, place.workspaceId, 1), userCredentialContext(place), value);
  await sql('insert into user_credentials (id, workspace_id, credential_id, person_id, sealed, key_term) values ($1, $2, $3, $4, $5, $6)', [place.id, place.workspaceId, credentialId, personId, sealed, sealedTerm(sealed)]);
  return place.id;
}
const subjectOf = async (id: string) => (await fixture.query<{ subject: string }>('select subject from people where id = $1', [id]))[0]?.subject;
const ask = async (more: object = {}): Promise<TokenAnswer> => (await fixture.ask({ server, subject: { person }, credential: 'tracker', ...more })).body;

beforeAll(async () => {
  credential = await make('credentials', { name: 'tracker', title: 'tracker token', scope: 'user' });
  server = await make('servers', sampleServer('tracked', sends('tracker')));
});
beforeEach(async () => {
  await fixture.query('delete from user_credentials');
  person = await fixture.person('ana');
});

test('what a person has entered, and whatever a revocation may name it by', async () => {
  const id = await enter('canary-of-ana');
  expect(await ask()).toEqual({ status: 'token', accessToken: 'canary-of-ana', connection: id, owner: credential, person, credential: 'tracker' });
});

test('never another person’s: who has entered nothing is asked to', async () => {
  await enter('canary-of-ben', await fixture.person('ben'));
  const answer = await ask();
  expect(answer).toEqual({ status: 'connect_required', connectUrl: expect.stringContaining('/connect?link=') as string, linkId: expect.any(String) as string, owner: credential, app: 'tracker token', reason: 'not_connected', credential: true });
});

test('that was refused, and is the same still, has to be entered anew; another one is given', async () => {
  await enter('canary-of-ana');
  expect(await ask({ refused: hashOf('canary-of-ana') })).toMatchObject({ status: 'reconnect_required', reason: 'refused', credential: true });
  expect(await ask({ refused: hashOf('another') })).toMatchObject({ status: 'token' });
});

describe('nothing is given', () => {
  test.each<[string, () => object | Promise<object>, string]>([
    ['of a credential that the server does not send', () => ({ credential: 'other' }), 'misconfigured'],
    ['to a server that does not send it', () => ({ server: fixture.server }), 'misconfigured'],
    ['to a server that sends it as the workspace’s', async () => ({ server: await make('servers', sampleServer('as-workspaces', sends('tracker', 'workspace'))) }), 'misconfigured'],
    ['of a credential that is the workspace’s', async () => ({ server: await make('servers', sampleServer('of-workspace', sends('search'))), credential: 'search' }), 'misconfigured'],
    ['of one that is not there', async () => ({ server: await make('servers', sampleServer('of-nothing', sends('nothing'))), credential: 'nothing' }), 'misconfigured'],
    ['for an upstream that the server does not have any more', () => ({ upstream: 'https://former.example/mcp' }), 'outdated'],
    ['to all callers together', () => ({ subject: 'shared' }), 'misconfigured'],
    ['to a server that is not there', () => ({ server: randomUUID() }), 'misconfigured'],
    ['to nobody', () => ({ subject: { person: randomUUID() } }), 'no_person'],
    ['for a token of an issuer that the server does not ask', async () => ({ subject: { issuer: 'local', subject: await subjectOf(person) } }), 'no_person'],
  ])('%s', async (_what, more, status) => {
    await enter('canary-of-ana');
    if ((await fixture.query(`select from credentials where name = 'search'`)).length === 0) await make('credentials', { name: 'search', scope: 'workspace', value: 'canary-of-all' });
    expect(await ask(await more())).toEqual({ status });
  });

  test('to who is disabled', async () => {
    await enter('canary-of-ana');
    await fixture.query('update people set disabled = true where id = $1', [person]);
    expect(await ask()).toEqual({ status: 'no_person' });
  });

  test('of a value that was moved to somebody else’s row', async () => {
    const id = await enter('canary-of-ben', await fixture.person('ben'));
    await fixture.query('update user_credentials set person_id = $2 where id = $1', [id, person]);
    expect(await fixture.ask({ server, subject: { person }, credential: 'tracker' })).toMatchObject({ status: 500, body: { code: 'vault_sealed_value_unreadable' } });
  });
});
