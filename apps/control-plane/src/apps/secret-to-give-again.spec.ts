import type { ReadableApp } from '@gatehouse/gateway-config';
import { beforeEach, describe, expect, test } from 'vitest';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const path = '/v1/workspaces/default/apps';

beforeEach(async () => void (await fixture.query('delete from apps; delete from secrets')));

interface Problem {
  readonly errors: readonly { readonly pointer: string; readonly code: string }[];
}

const own = { authorizationUrl: 'https://id.example/authorize', tokenUrl: 'https://id.example/token' };
const keycloak = { provider: 'keycloak', variables: { base: 'https://sso.corp.example', realm: 'corp' } };
const documentOf = (of: object) => ({ name: 'app', clientId: 'id', clientSecret: 'canary-of-client', ...of });
const create = async (of: object): Promise<void> => expect((await fixture.plane.send('POST', path, { body: documentOf(of) })).status).toBe(201);
const change = (method: 'PUT' | 'PATCH', body: unknown) => fixture.plane.send<ReadableApp & Problem>(method, `${path}/app`, { body, headers: { 'If-Match': '*' } });
const sealed = () => fixture.query<{ sealed: Buffer }>('select sealed from secrets');

describe('a secret that is kept goes to no other origin', () => {
  test.each<[string, object, object]>([
    ['a token URL', own, { tokenUrl: 'https://evil.example/token' }],
    ['another port', own, { tokenUrl: 'https://id.example:8443/token' }],
    ['a sub-domain', own, { tokenUrl: 'https://evil.id.example/token' }],
    ['a revocation URL, where there was none', own, { revocationUrl: 'https://evil.example/revoke' }],
    ['a revocation URL', { ...own, revocationUrl: 'https://id.example/revoke' }, { revocationUrl: 'https://evil.example/revoke' }],
    ['a token URL in the place of the provider’s', { provider: 'figma' }, { tokenUrl: 'https://evil.example/token' }],
    ['another provider', { provider: 'figma' }, { provider: 'clickup' }],
    ['a variable', keycloak, { variables: { base: 'https://evil.example' } }],
    ['the default of a variable', { provider: 'gitlab', variables: { base: 'https://git.corp.example' } }, { variables: null }],
  ])('by %s', async (_what, before, patch) => {
    await create(before);
    const stored = await sealed();
    const { status, body } = await change('PATCH', patch);
    expect([status, body.errors]).toMatchObject([422, [{ pointer: '/clientSecret', code: 'secret_of_another_origin' }]]);
    // As it is read, it is none.
    expect((await change('PATCH', { ...patch, clientSecret: { set: true } })).status).toBe(422);
    expect(await sealed()).toEqual(stored);
    expect((await change('PATCH', { ...patch, clientSecret: 'canary-given-again' })).status).toBe(200);
  });

  test('by a whole document that leaves it out', async () => {
    await create(own);
    const evil = documentOf({ ...own, clientSecret: undefined, tokenUrl: 'https://evil.example/token' });
    expect((await change('PUT', evil)).body.errors).toMatchObject([{ pointer: '/clientSecret', code: 'secret_of_another_origin' }]);
  });

  test('where nobody can say any more where it has gone', async () => {
    await create({ provider: 'figma' });
    await fixture.query(`update apps set document = jsonb_set(document, '{provider}', '"of-another-release"')`);
    expect((await change('PATCH', { provider: 'figma' })).body.errors).toMatchObject([{ pointer: '/clientSecret', code: 'secret_of_another_origin' }]);
  });
});

test.each<[string, object, object]>([
  ['another path', own, { tokenUrl: 'https://id.example/v2/token' }],
  ['where people authorize', own, { authorizationUrl: 'https://login.example/authorize' }],
  ['a revocation URL where the token URL is', own, { revocationUrl: 'https://id.example/revoke' }],
  ['the provider’s own token URL by name', keycloak, { tokenUrl: 'https://sso.corp.example/token' }],
  ['another realm', keycloak, { variables: { realm: 'other' } }],
  ['none, and another origin', { ...own, clientSecret: undefined }, { tokenUrl: 'https://other.example/token' }],
])('it stays with %s', async (_what, before, patch) => {
  await create(before);
  const { status, text } = await change('PATCH', patch);
  expect([status, text]).toEqual([200, expect.stringContaining('"revision":2')]);
});
