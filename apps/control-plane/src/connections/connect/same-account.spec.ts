import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestBrowser } from '../../../../../test/support/test-browser.ts';
import { appDocument, connectAs, useConnecting } from '../../spec-support/use-connecting.ts';

const fixture = useConnecting();
let ana: TestBrowser;
let anaId = '';
let app = '';
let answer: Readonly<Record<string, unknown>> = {};
const revoked: (string | null)[] = [];
/** The token endpoint of a provider that gives a refresh token now and then only. */
const server = createServer((request, reply) => {
  void text(request).then((body) => {
    if (request.url === '/revoke') revoked.push(new URLSearchParams(body).get('token'));
    reply.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(request.url === '/token' ? { token_type: 'Bearer', expires_in: 3600, ...answer } : {}));
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
