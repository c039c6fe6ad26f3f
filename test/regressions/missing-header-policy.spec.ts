import { compileDocument, headerPolicyId, snapshotKeysOf } from '@gatehouse/gateway-config';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { headerPairs, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/*
 * The global policy may say that nothing passes (P17). A data plane that does not know what it says, because the document is
 * gone, was never there or cannot be used, must not take that for "pass-through is on": it would forward what it should not.
 */
let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;

beforeEach(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane();
});
afterEach(async () => {
  await dataPlane.close();
  await upstream.close();
});

const server = (): Parameters<InProcessDataPlane['publish']>[0] => ({ name: 'orders', upstream: { url: upstream.url }, appAuth: { type: 'passthrough' } });

async function leaving(): Promise<string[]> {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer callers', 'x-tenant': 'acme', 'x-upstream-authorization': '' };
  const response = await fetch(`${dataPlane.url}/mcp/default/orders`, { method: 'POST', headers, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' });
  expect(response.status).toBe(200);
  const request = upstream.requests.at(-1);
  return request === undefined ? [] : headerPairs(request).map(([name]) => name.toLowerCase()).filter((name) => name === 'authorization' || name === 'x-tenant');
}

/** Publishes something in the place of the policy, as the channel would carry it. */
async function publishInstead(policy: unknown): Promise<void> {
  const keys = snapshotKeysOf([dataPlane.key]);
  const expected = await dataPlane.channel.readState();
  const revision = (expected?.revision ?? 0) + 1;
  await dataPlane.channel.publish({ expected, revision, mode: 'change', documents: [compileDocument(keys, policy as Parameters<typeof compileDocument>[1])], removed: [] });
  await dataPlane.publish(server());
}

describe('nothing passes where the global policy', () => {
  it.each([
    ['cannot be opened by the control plane', { kind: 'unreadable', id: headerPolicyId }],
    ['is of another release', { kind: 'header-policy', id: headerPolicyId, policy: { enabled: false, anotherField: 1 } }],
  ])('%s', async (_name, policy) => {
    await publishInstead(policy);
    expect(await leaving()).toEqual([]);
  });

  it('was removed', async () => {
    await dataPlane.publish(server());
    expect(await leaving()).toEqual(['x-tenant', 'authorization']);
    await dataPlane.remove(headerPolicyId);
    expect(await leaving()).toEqual([]);
  });
});

it('one that cannot be used leaves the one before it in force', async () => {
  await dataPlane.publishHeaderPolicy({ mode: 'none', restricted: ['x-t*'] });
  await publishInstead({ kind: 'unreadable', id: headerPolicyId });
  expect(await leaving()).toEqual(['authorization']);
});
