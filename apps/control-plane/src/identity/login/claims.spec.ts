import { describe, expect, test } from 'vitest';
import { type Claims, contradictsRequirements, hasAllClaims, meetsRequirements, personOfClaims, updatedAttributes } from './claims.ts';

test.each<[Claims, Parameters<typeof personOfClaims>[1], Record<string, unknown>]>([
  [{ sub: 'u1', email: 'a@b.example', email_verified: true, name: 'Ana', groups: ['x', 'y'] }, undefined, { subject: 'u1', email: 'a@b.example', name: 'Ana', groups: ['x', 'y'], roleValues: [] }],
  // Entra: an object id that is the same in every application, and application roles.
  [{ sub: 'pairwise', oid: 'o1', roles: ['Gateway.Admin'] }, { claims: { subject: 'oid', roles: 'roles' } }, { subject: 'o1', roleValues: ['Gateway.Admin'] }],
  // Keycloak: roles of the realm, inside of an object.
  [{ sub: 'u1', realm_access: { roles: ['admin'] } }, { claims: { groups: 'realm_access.roles' } }, { groups: ['admin'] }],
  // Auth0: names that are URLs, and have dots.
  [{ sub: 'u1', 'https://corp.example/groups': ['x'] }, { claims: { groups: 'https://corp.example/groups' } }, { groups: ['x'] }],
  [{ sub: 'u1', groups: 'only-one' }, undefined, { groups: ['only-one'] }],
  [{ sub: 'u1', groups: ['x', 'x', '', 7, null, { y: 1 }, 'a\0b', 'z'.repeat(257)] }, undefined, { groups: ['x'] }],
  [{ sub: 'u1', groups: Array.from({ length: 1_200 }, (_, index) => `g${index}`) }, undefined, { groups: Array.from({ length: 1_000 }, (_, index) => `g${index}`) }],
  [{ sub: 12 }, undefined, { subject: '12', name: '12', email: undefined, groups: [] }],
  [{ sub: 'u1', preferred_username: 'ana', email: 'a@b.example' }, undefined, { name: 'ana' }],
  [{ sub: 'u1', name: '  ', email: 'a@b.example', email_verified: true }, undefined, { name: 'a@b.example' }],
  [{ sub: 'u1' }, { claims: { groups: '__proto__', roles: 'constructor.name' } }, { groups: [], roleValues: [] }],
])('%j with %j', (claims, reading, expected) => {
  expect(personOfClaims(claims, reading)).toMatchObject(expected);
});

describe('an address counts only where the provider vouches for it', () => {
  const always = { emailVerified: 'always' } as const;
  const corp = { emailDomains: ['corp.example', 'corp.test'] };
  test.each<[Claims, Parameters<typeof personOfClaims>[1], string | undefined]>([
    [{ email: 'a@b.example', email_verified: true }, undefined, 'a@b.example'],
    [{ email: 'a@b.example', email_verified: 'true' }, undefined, 'a@b.example'],
    [{ email: 'a@b.example' }, undefined, undefined],
    [{ email: 'a@b.example' }, { emailVerified: 'claim' }, undefined],
    [{ email: 'a@b.example', email_verified: false }, undefined, undefined],
    [{ email: 'a@b.example', email_verified: 'false' }, undefined, undefined],
    [{ email: 'a@b.example', email_verified: 1 }, undefined, undefined],
    [{ email: 'a@b.example', email_verified: null }, undefined, undefined],
    [{ email: 'not an address', email_verified: true }, undefined, undefined],
    // Entra has no such claim.
    [{ email: 'a@b.example' }, always, 'a@b.example'],
    [{ email: 'a@b.example', email_verified: false }, always, undefined],
    // What is said of `email` is said of no other claim.
    [{ mail: 'a@b.example', email: 'x@y.example', email_verified: true }, { claims: { email: 'mail' } }, undefined],
    [{ mail: 'a@b.example' }, { claims: { email: 'mail' }, ...always }, 'a@b.example'],
    [{ email: 'a@corp.example', email_verified: true }, corp, 'a@corp.example'],
    [{ email: 'a@CORP.example', email_verified: true }, corp, 'a@CORP.example'],
    [{ email: 'a@corp.test' }, { ...corp, ...always }, 'a@corp.test'],
    [{ email: 'a@partner.example', email_verified: true }, corp, undefined],
    [{ email: 'a@sub.corp.example', email_verified: true }, corp, undefined],
    [{ email: 'a@corp.example.evil.example', email_verified: true }, corp, undefined],
  ])('%j with %j', (claims, reading, email) => {
    expect(personOfClaims({ sub: 'u1', ...claims }, reading)).toMatchObject({ email });
  });
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

describe('without an ID token', () => {
  const known = { email: 'ana@corp.example', name: 'Ana', groups: ['x'], roleValues: ['admin'] };
  const reading = { claims: { roles: 'roles' } };

  test.each<[Claims, Parameters<typeof updatedAttributes>[2], Partial<typeof known> | { email: undefined }, boolean]>([
    [{ email: 'new@corp.example', email_verified: true, name: 'Anna', groups: ['y'], roles: [] }, reading, { email: 'new@corp.example', name: 'Anna', groups: ['y'], roleValues: [] }, true],
    [{ email: 'new@corp.example', groups: [], roles: [] }, reading, { email: undefined, groups: [], roleValues: [], name: 'Ana' }, true],
    [{ email: 'ana@corp.example', email_verified: true, roles: ['admin'] }, reading, { groups: ['x'] }, false],
    [{ email: 'ana@corp.example', email_verified: true, groups: ['x'] }, reading, { roleValues: ['admin'] }, false],
    [{ groups: ['y'], roles: [] }, reading, { email: 'ana@corp.example', groups: ['y'] }, false],
    [{ email: 'ana@corp.example', email_verified: true, groups: ['y'], roles: [] }, { ...reading, requiredClaims: { hd: 'corp.example' } }, {}, false],
    // Roles that are not read any more.
    [{ email: 'ana@corp.example', email_verified: true, groups: ['y'] }, {}, { roleValues: [] }, true],
  ])('%j with %j leaves %j; whole: %s', (claims, how, attributes, isWhole) => {
    const updated = updatedAttributes(known, { sub: 'u1', ...claims }, how);
    expect(updated.attributes).toMatchObject(attributes);
    expect(updated.isWhole).toBe(isWhole);
  });

  test('required claims that are not said contradict nothing', () => {
    const required = { hd: 'corp.example', tid: ['1', '2'] };
    expect(contradictsRequirements({}, required)).toBe(false);
    expect(contradictsRequirements({ hd: 'corp.example', tid: '2' }, required)).toBe(false);
    expect(contradictsRequirements({ tid: '3' }, required)).toBe(true);
  });
});
