import { anonymousCaller } from '@gatehouse/agent-auth';
import { expect, it } from 'vitest';
import { applyChange, emptySnapshot, type Snapshot } from '../snapshot/current-snapshot.ts';
import { prepareServer } from '@gatehouse/upstream-request';
import { serverDocument } from '../snapshot/spec-support.ts';
import { isServed } from './is-served.ts';

type Server = Parameters<typeof prepareServer>[2];

const url = 'https://up.example/mcp';
const orders: Server = { type: 'mcp', name: 'orders', upstream: { url }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' } };
const state = { revision: 1, stamp: 'spec' };
const empty = emptySnapshot(state);

function snapshotOf(server: Server, id = 'id', workspace = 'w'): Snapshot {
  return applyChange(empty, { state, prepared: [{ kind: 'server', source: serverDocument(id), server: prepareServer(id, workspace, server) }], removed: [] });
}

it.each<[string, Snapshot | undefined, anonymous: boolean, named: boolean]>([
  ['as it was', snapshotOf(orders), true, true],
  ['renamed', snapshotOf({ ...orders, name: 'renamed' }), true, true],
  ['gone', empty, false, false],
  ['gone, another has its name', snapshotOf(orders, 'another'), false, false],
  ['disabled', snapshotOf({ ...orders, enabled: false }), false, false],
  ['of another upstream', snapshotOf({ ...orders, upstream: { url: `${url}/2` } }), false, false],
  ['of an upstream that speaks the other transport', snapshotOf({ ...orders, upstream: { url, transport: 'sse' } }), false, false],
  ['no longer open to all', snapshotOf({ ...orders, agentAuth: { type: 'api-key' } }), false, true],
  ['not known yet', undefined, true, true],
])('a session whose server is %s', (_, snapshot, anonymous, named) => {
  const { upstream } = prepareServer('id', 'w', orders);
  const served = [anonymousCaller.id, 'service-account:ana'].map((callerId) => isServed(snapshot, { upstream, owner: { workspace: 'w', serverId: 'id', upstreamUrl: url, callerId } }));
  expect(served).toEqual([anonymous, named]);
});
