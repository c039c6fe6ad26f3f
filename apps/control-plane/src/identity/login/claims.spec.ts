import { describe, expect, test } from 'vitest';
import { type Claims, hasAllClaims, meetsRequirements, personOfClaims } from './claims.ts';

test.each<[Claims, Parameters<typeof personOfClaims>[1], Record<string, unknown>]>([
  [{ sub: 'u1', email: 'a@b.example', name: 'Ana', groups: ['x', 'y'] }, undefined, { subject: 'u1', email: 'a@b.example', name: 'Ana', groups: ['x', 'y'], roleValues: [] }],
  // Entra: an object id that is the same in every application, and application roles.
  [{ sub: 'pairwise', oid: 'o1', roles: ['Gateway.Admin'] }, { subject: 'oid', roles: 'roles' }, { subject: 'o1', roleValues: ['Gateway.Admin'] }],
  // Keycloak: roles of the realm, inside of an object.
  [{ sub: 'u1', realm_access: { roles: ['admin'] } }, { groups: 'realm_access.roles' }, { groups: ['admin'] }],
  // Auth0: names that are URLs, and have dots.
  [{ sub: 'u1', 'https://corp.example/groups': ['x'] }, { groups: 'https://corp.example/groups' }, { groups: ['x'] }],
  [{ sub: 'u1', groups: 'only-one' }, undefined, { groups: ['only-one'] }],
  [{ sub: 'u1', groups: ['x', 'x', '', 7, null, { y: 1 }, 'a\0b', 'z'.repeat(257)] }, undefined, { groups: ['x'] }],
  [{ sub: 'u1', groups: Array.from({ length: 1_200 }, (_, index) => `g${index}`) }, undefined, { groups: Array.from({ length: 1_000 }, (_, index) => `g${index}`) }],
  [{ sub: 12 }, undefined, { subject: '12', name: '12', email: undefined, groups: [] }],
  [{ sub: 'u1', preferred_username: 'ana', email: 'a@b.example' }, undefined, { name: 'ana' }],
  [{ sub: 'u1', name: '  ', email: 'a@b.example' }, undefined, { name: 'a@b.example' }],
  [{ sub: 'u1', email: 'a@b.example', email_verified: false }, undefined, { email: undefined, name: 'u1' }],
  [{ sub: 'u1', email: 'a@b.example', email_verified: 'false' }, undefined, { email: undefined }],
  [{ sub: 'u1', email: 'a@b.example', email_verified: true }, undefined, { email: 'a@b.example' }],
  [{ sub: 'u1', email: 'not an address' }, undefined, { email: undefined }],
  [{ sub: 'u1' }, { groups: '__proto__', roles: 'constructor.name' }, { groups: [], roleValues: [] }],
])('%j with %j', (claims, names, expected) => {
  expect(personOfClaims(claims, names)).toMatchObject(expected);
});

test.each<Claims>([{}, { sub: '' }, { sub: null }, { sub: ['u1'] }, { sub: 'x'.repeat(256) }, { sub: 'a\0b' }, { sub: '\ud800' }])('no person without a usable subject: %j', (claims) => {
  expect(() => personOfClaims(claims)).toThrow(expect.objectContaining({ code: 'login_invalid' }) as Error);
});

describe('required claims', () => {
  test.each<[Claims, Record<string, string | string[]>, boolean]>([
    [{ hd: 'corp.example' }, { hd: 'corp.example' }, true],
    [{ hd: 'corp.example' }, { hd: ['other.example', 'corp.example'] }, true],
    [{ hd: 'gmail.example' }, { hd: 'corp.example' }, false],
    [{}, { hd: 'corp.example' }, false],
    [{}, { hd: 'undefined' }, false],
    [{ hd: null }, { hd: 'corp.example' }, false],
    [{ groups: ['a', 'b'] }, { groups: 'b' }, true],
    [{ groups: ['a'] }, { groups: 'b' }, false],
    [{ email_verified: true }, { email_verified: 'true' }, true],
    [{ hd: 'corp.example' }, { hd: 'corp.example', tid: '1' }, false],
    [{}, {}, true],
  ])('%j with %j: %s', (claims, required, expected) => {
    expect(meetsRequirements(claims, required)).toBe(expected);
  });
});

test('someone is asked for where a claim is missing that is read', () => {
  const complete = { sub: 'u1', email: 'a@b.example', name: 'Ana', groups: [] };
  expect(hasAllClaims(complete)).toBe(true);
  expect(hasAllClaims(complete, { roles: 'roles' })).toBe(false);
  expect(hasAllClaims({ ...complete, groups: undefined })).toBe(false);
});
