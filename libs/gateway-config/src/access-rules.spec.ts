import { anonymousCaller, type Caller } from '@gatehouse/agent-auth';
import { describe, expect, it } from 'vitest';
import { access, type Access, AccessRules, workspaceAccess, WorkspaceMembers } from './access-rules.ts';
import { completeServer } from './server-document.ts';

const ana: Caller = { id: 'person:p1', kind: 'person', identityProvider: 'corp', name: 'Ana', subject: 'p1', email: 'Ana@Example.com', groups: ['sales', 'emea'] };
const ci: Caller = { id: 'service-account:a1', kind: 'service-account', name: 'ci', groups: ['builds'] };
const token: Caller = { id: 'token:x', kind: 'token', name: 'ben', subject: 'ben', groups: [] };

describe('who may call', () => {
  it.each<[Access['allow'], string[]]>([
    [undefined, ['Ana', 'ci', 'ben']],
    [[{ group: 'sales' }], ['Ana']],
    [[{ group: 'Sales' }], []],
    [[{ group: 'builds' }], ['ci']],
    [[{ user: 'ana@example.com' }], ['Ana']],
    [[{ user: 'ANA@EXAMPLE.COM' }], ['Ana']],
    [[{ user: 'p1' }], ['Ana']],
    [[{ user: 'P1' }], []],
    [[{ user: 'person:p1' }], []],
    [[{ user: 'Ana' }], []],
    [[{ user: 'ben' }], ['ben']],
    [[{ group: 'sales', identityProvider: 'corp' }], ['Ana']],
    [[{ group: 'sales', identityProvider: 'partner' }], []],
    [[{ user: 'ana@example.com', identityProvider: 'corp' }], ['Ana']],
    [[{ user: 'ana@example.com', identityProvider: 'partner' }], []],
    [[{ user: 'ben', identityProvider: 'corp' }], []],
    [[{ group: 'builds', identityProvider: 'corp' }, { group: 'builds' }], ['ci']],
    [[{ serviceAccount: 'ci' }], ['ci']],
    [[{ serviceAccount: 'ben' }], []],
    [[{ user: 'ci' }], []],
    [[{ group: 'nobody' }, { serviceAccount: 'ci' }, { user: 'ana@example.com' }], ['Ana', 'ci']],
  ])('%j: %j', (allow, expected) => {
    const rules = new AccessRules(allow);
    expect([ana, ci, token].filter((caller) => rules.admits(caller)).map(({ name }) => name)).toEqual(expected);
  });

  it('is told by letters that only look alike from nobody else', () => {
    const rules = new AccessRules([{ user: 'kim@example.com' }, { user: '01919e1c-0000-7000-8000-00000000a0a0' }]);
    for (const email of ['\u212aim@example.com', 'kım@example.com', '01919e1c-0000-7000-8000-00000000a0a0']) expect(rules.admits({ ...token, subject: 'x', email })).toBe(false);
    expect(rules.admits({ ...token, email: 'KIM@example.com' })).toBe(true);
  });
});

it('an entry with an @ is an address, whatever a token has as its subject', () => {
  const rules = new AccessRules([{ user: 'ana@example.com' }]);
  expect(rules.admits({ ...token, subject: 'ana@example.com' })).toBe(false);
  expect(rules.admits({ ...token, subject: 'x', email: 'ana@example.com' })).toBe(true);
});

it('service accounts belong to their workspace, people and tokens where it says so, strangers only where it says nothing', () => {
  const callers = [ana, ci, token, anonymousCaller];
  const members = (allow?: Parameters<typeof workspaceAccess.parse>[0]) => callers.filter((caller) => new WorkspaceMembers(allow === undefined ? undefined : workspaceAccess.parse(allow)).includes(caller)).map(({ name }) => name);
  expect(members()).toEqual(['Ana', 'ci', 'ben', 'anonymous']);
  expect(members({ allow: [{ group: 'sales' }] })).toEqual(['Ana', 'ci']);
  expect(members({ allow: [{ group: 'sales', identityProvider: 'partner' }, { user: 'ben' }] })).toEqual(['ci', 'ben']);
  for (const wrong of [{}, { allow: [] }, { allow: [{ serviceAccount: 'ci' }] }, { allow: [{ identityProvider: 'corp' }] }, { allow: [{ group: 'a', user: 'b' }] }]) expect(workspaceAccess.safeParse(wrong).success).toBe(false);
});

const problems = (value: unknown): string[] => (access.safeParse(value).error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);

describe('the document', () => {
  it.each<[unknown, RegExp]>([
    [{ allow: [] }, /^allow must not be empty/],
    [{ allow: [{}] }, /^allow\.0 must have exactly one/],
    [{ allow: [{ group: 'a', user: 'b' }] }, /^allow\.0 must have exactly one/],
    [{ allow: [{ serviceAccount: 'ci', identityProvider: 'corp' }] }, /^allow\.0\.identityProvider goes with/],
    [{ allow: [{ identityProvider: 'corp' }] }, /^allow\.0 must have exactly one/],
    [{ allow: [{ role: 'admin' }] }, /^allow\.0 /],
    [{ allow: [{ group: '' }] }, /^allow\.0\.group must not be empty/],
    [{ allow: [{ serviceAccount: 'Not A Name' }] }, /^allow\.0\.serviceAccount must be lower-case/],
    [{ allow: ['sales'] }, /^allow\.0 /],
    [{ tools: { allow: [] } }, /^tools\.allow must not be empty/],
    [{ tools: { deny: [] } }, /^tools\.deny must not be empty/],
    [{ tools: { deny: ['delete_?'] } }, /^tools\.deny\.0 has a sign/],
    [{ tools: { deny: ['[ab]'] } }, /^tools\.deny\.0 has a sign/],
    [{ tools: { deny: ['{a,b}'] } }, /^tools\.deny\.0 has a sign/],
    [{ tools: { deny: ['a\nb'] } }, /^tools\.deny\.0 must not have control characters/],
    [{ tools: ['a'] }, /^tools /],
    [{ deny: [{ user: 'a' }] }, /Unrecognized key/],
  ])('%j is refused at its place', (value, line) => {
    const [first] = problems(value);
    expect(first).toMatch(line);
  });

  it.each([{}, { tools: {} }, { allow: [{ group: 'Domain Users' }, { user: 'a@b.c' }, { serviceAccount: 'ci' }], tools: { allow: ['read_*', 'ping'], deny: ['*.secret.*'] } }])('%j is taken', (value) => {
    expect(problems(value)).toEqual([]);
  });
});

describe('a server whose callers nobody knows', () => {
  const server = (agentAuth: object) => ({ name: 'orders', type: 'mcp', upstream: { url: 'https://orders.example/mcp' }, appAuth: { type: 'none' }, agentAuth, access: { allow: [{ group: 'sales' }] } });
  const paths = (document: unknown): string[] => (completeServer.safeParse(document).error?.issues ?? []).map(({ path }) => path.join('.'));
  const jwt = { jwksUrl: 'https://login.example/jwks' };

  it('cannot say which of them may call', () => {
    expect(paths(server({ type: 'passthrough' }))).toEqual(['access.allow']);
    for (const agentAuth of [{ type: 'passthrough', jwt }, { type: 'api-key' }, { type: 'interactive' }]) expect(paths(server(agentAuth))).toEqual([]);
  });

  it('can say which tools', () => {
    expect(paths({ ...server({ type: 'passthrough' }), access: { tools: { deny: ['delete_*'] } } })).toEqual([]);
  });
});
