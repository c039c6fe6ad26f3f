import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestBrowser } from '../../../../../test/support/test-browser.ts';
import { startTestControlPlane } from '../../spec-support/start-test-control-plane.ts';
import { appDocument, connectAs, useConnecting } from '../../spec-support/use-connecting.ts';

const fixture = useConnecting();
let ana: TestBrowser;
let anaId = '';
let app = '';
let answer: Readonly<Record<string, unknown>> = {};
const revoked: (string | null)[] = [];
let isAway = false;
/** The token endpoint of a provider that gives a refresh token now and then only. */
const server = createServer((request, reply) => {
  void text(request).then((body) => {
    if (request.url === '/revoke' && isAway) return void reply.destroy();
    if (request.url === '/revoke') revoked.push(new URLSearchParams(body).get('token'));
    return void reply.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(request.url === '/token' ? { token_type: 'Bearer', expires_in: 3600, ...answer } : {}));
  });
});

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const body = { ...appDocument(fixture.acme), name: 'other', tokenUrl: `${origin}/token`, revocationUrl: `${origin}/revoke` };
  app = (await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/apps', { body })).body.id;
  ana = await fixture.browserOf('ana');
  anaId = await fixture.personId('ana');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const idToken = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

/** Ana connects, and the provider gives these. */
async function connect(given: Readonly<Record<string, unknown>>): Promise<void> {
  answer = given;
  expect((await connectAs(ana, await fixture.link({ personId: anaId, ownerId: app }), 'ana-at-acme')).text).toContain('return to your chat');
}

const clear = async (): Promise<void> => {
  await fixture.query('delete from connections where owner_id = $1', [app]);
  revoked.length = 0;
};

test('who connects another account: the former one’s tokens are given back; not those of the same, nor where nobody can tell', async () => {
  await clear();
  await connect({ access_token: 'of-one', refresh_token: 'refresh-of-one', id_token: idToken({ iss: 'a', sub: '1' }) });
  await connect({ access_token: 'of-one-again', refresh_token: 'refresh-of-one-again', id_token: idToken({ iss: 'a', sub: '1' }) });
  await connect({ access_token: 'of-nobody' });
  await connect({ access_token: 'of-two', id_token: idToken({ iss: 'a', sub: '2' }) });
  await connect({ access_token: 'of-three', id_token: idToken({ iss: 'a', sub: '3' }) });
  await expect.poll(() => revoked).toEqual(['of-two']);
});

test('who disconnects while the provider is away, and connects another account: the former one’s tokens are given back all the same', async () => {
  for (const [sub, given] of [['2', ['of-one']], ['1', []]] as const) {
    await clear();
    isAway = true;
    await connect({ access_token: 'of-one', id_token: idToken({ iss: 'a', sub: '1' }) });
    const [row] = await fixture.query<{ id: string }>('select id from connections where owner_id = $1', [app]);
    expect((await fixture.plane.send('DELETE', `/v1/workspaces/default/connections/${row?.id}`)).status).toBe(204);
    await expect.poll(async () => fixture.query('select attempts from pending_revocations')).toEqual([{ attempts: 1 }]);
    isAway = false;
    await connect({ access_token: 'of-now', id_token: idToken({ iss: 'a', sub }) });
    await fixture.query('update pending_revocations set next_attempt_at = now()');
    await (await startTestControlPlane({ environment: fixture.plane.environment })).close();
    await expect.poll(() => fixture.query('select from pending_revocations')).toEqual([]);
    expect(revoked).toEqual(given);
  }
});

test.each([
  ['the same account', { iss: 'a', sub: '1', name: 'Ana' }, { iss: 'a', sub: '1', name: 'Ana M.' }, true],
  ['another account of the same name', { iss: 'a', sub: '1', name: 'Ana' }, { iss: 'a', sub: '2', name: 'Ana' }, false],
  ['the same number at another issuer', { iss: 'a', sub: '1', name: 'Ana' }, { iss: 'b', sub: '1', name: 'Ana' }, false],
  ['accounts that nobody can tell apart', { name: 'Ana' }, { name: 'Ana' }, false],
])('a refresh token stays with its account: %s', async (_name, first, second, isKept) => {
  await clear();
  await connect({ access_token: 'first', refresh_token: 'refresh', id_token: idToken(first) });
  await connect({ access_token: 'second', id_token: idToken(second) });
  expect(await fixture.query('select refreshable from connections where owner_id = $1', [app])).toEqual([{ refreshable: isKept }]);
});
