import { anonymousCaller, type Caller } from '@gatehouse/agent-auth';
import { WorkspaceMembers } from '@gatehouse/gateway-config';
import { readPublicKeys } from '@gatehouse/token-verification';
import { prepareServer } from '@gatehouse/upstream-request';
import { describe, expect, it } from 'vitest';
import { applyChange, emptySnapshot, type PreparedDocument, type Snapshot } from './current-snapshot.ts';
import { serverDocument } from './spec-support.ts';
import { stillAdmitted } from './still-admitted.ts';

type Server = Parameters<typeof prepareServer>[2];

const url = 'https://up.example/mcp';
const orders: Server = { type: 'mcp', name: 'orders', upstream: { url }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' } };
const state = { revision: 1, stamp: 'spec' };
const empty = emptySnapshot(state);
const groups = ['g'];

const account = (keyId = 'k1', ofGroups = groups, workspace = 'w'): PreparedDocument => ({ kind: 'service-account', source: serverDocument('account'), account: { id: 'account', workspace, name: 'ci', groups: ofGroups, keyId, keyHash: '' } });
const authorizationServer = (...revoked: string[]): PreparedDocument => {
  const keys = readPublicKeys({ keys: [] });
  if (keys === undefined) throw new TypeError('no key set');
  return { kind: 'authorization-server', source: serverDocument('as'), server: { issuer: 'https://control.example', registersClients: true, keys, revoked: new Set(revoked), fingerprint: '' } };
};
const workspaceOf = (name: string, access?: ConstructorParameters<typeof WorkspaceMembers>[0]): PreparedDocument => ({ kind: 'workspace', source: serverDocument(`of-${name}`), workspace: { id: name, name, members: new WorkspaceMembers(access) } });
function snapshotOf(server: Server, others: readonly PreparedDocument[] = [account(), authorizationServer()], id = 'id', workspace = 'w'): Snapshot {
  return applyChange(empty, { state, prepared: [workspaceOf(workspace), { kind: 'server', source: serverDocument(id), server: prepareServer(id, workspace, server) }, ...others], removed: [] });
}

const ci: Caller = { id: 'service-account:account', kind: 'service-account', name: 'ci', groups, credential: 'k1' };
const ana: Caller = { id: 'person:ana', kind: 'person', name: 'Ana', subject: 'ana', groups: ['sales'], credential: 'g1' };
const admitted = (server: Server, caller: Caller, now: Snapshot): boolean => stillAdmitted(now, { caller, server: prepareServer('id', 'w', server) });

describe('anyone', () => {
  it.each<[string, Snapshot, boolean]>([
    ['as it was', snapshotOf(orders), true],
    ['renamed', snapshotOf({ ...orders, name: 'renamed' }), true],
    ['with another credential', snapshotOf({ ...orders, appAuth: { type: 'passthrough' } }), true],
    ['gone', empty, false],
    ['gone, another has its name', snapshotOf(orders, [], 'another'), false],
    ['in another workspace', snapshotOf(orders, [], 'id', 'other'), false],
    ['disabled', snapshotOf({ ...orders, enabled: false }), false],
    ['of another upstream', snapshotOf({ ...orders, upstream: { url: `${url}/2` } }), false],
    ['of an upstream that speaks the other transport', snapshotOf({ ...orders, upstream: { url, transport: 'sse' } }), false],
    ['no longer open to all', snapshotOf({ ...orders, agentAuth: { type: 'api-key' } }), false],
    ['now of accounts that callers connect', snapshotOf({ ...orders, appAuth: { type: 'oauth-authorization-code', app: 'github' } }), false],
    ['with other tools', snapshotOf({ ...orders, access: { tools: { deny: ['delete_*'] } } }), false],
  ])('at a server that is %s', (_, now, expected) => {
    expect(admitted(orders, anonymousCaller, now)).toBe(expected);
  });
});

describe('a service account', () => {
  const server: Server = { ...orders, agentAuth: { type: 'api-key' } };
  it.each<[string, readonly PreparedDocument[], boolean]>([
    ['as it was', [account()], true],
    ['gone', [], false],
    ['with a new key', [account('k2')], false],
    ['in other groups', [account('k1', ['h'])], false],
    ['in another workspace', [account('k1', groups, 'other')], false],
  ])('that is %s', (_, others, expected) => {
    expect(admitted(server, ci, snapshotOf(server, others))).toBe(expected);
  });
});

describe('a person', () => {
  const server: Server = { ...orders, agentAuth: { type: 'interactive' } };
  it.each<[string, Snapshot, boolean]>([
    ['as it was', snapshotOf(server), true],
    ['revoked', snapshotOf(server, [authorizationServer('g0', 'g1')]), false],
    ['of no authorization server any more', snapshotOf(server, []), false],
    ['not enough any more', snapshotOf({ ...server, agentAuth: { type: 'interactive', scopes: ['orders'] } }), false],
  ])('whose grant is %s', (_, now, expected) => {
    expect(admitted(server, ana, now)).toBe(expected);
  });

  it('goes by the access rules of now', () => {
    const withAccess = (allow: NonNullable<Server['access']>['allow']): Server => ({ ...server, access: { allow } });
    expect(admitted(withAccess([{ group: 'sales' }]), ana, snapshotOf(withAccess([{ user: 'ana' }])))).toBe(true);
    expect(admitted(withAccess([{ group: 'sales' }]), ana, snapshotOf(withAccess([{ group: 'support' }])))).toBe(false);
  });
});

describe('members of a workspace', () => {
  const interactive: Server = { ...orders, agentAuth: { type: 'interactive' } };
  const of = (access: ConstructorParameters<typeof WorkspaceMembers>[0]) => snapshotOf(interactive, [authorizationServer(), workspaceOf('w', access)]);

  it('who belongs to it no longer is not let in', () => {
    expect(admitted(interactive, ana, of({ allow: [{ group: 'sales' }] }))).toBe(true);
    expect(admitted(interactive, ana, of({ allow: [{ group: 'others' }] }))).toBe(false);
  });
});
