import { randomBytes } from 'node:crypto';
import { snapshotKeysOf } from '@gatehouse/gateway-config';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SnapshotFollower } from './follow-snapshots.ts';
import { badDocument, faultyChannel, type FaultyChannel, serverDocument, silentLogger, specKeys } from './spec-support.ts';

let channel: FaultyChannel;
let follower: SnapshotFollower;
/** Whether each change came after an outage. */
let applied: boolean[];
const never = 1_000_000;

beforeEach(() => {
  channel = faultyChannel();
  applied = [];
  follower = new SnapshotFollower({ channel, keys: specKeys, pollMs: never, logger: silentLogger(), onApplied: (afterOutage) => void applied.push(afterOutage) });
});
afterEach(() => follower.stop());

const served = (): Record<string, string> => Object.fromEntries([...(follower.current?.servers.entries() ?? [])].map(([key, server]) => [key, server.upstream.url]));
const eventually = (expected: Record<string, string>): Promise<void> => vi.waitFor(() => expect(served()).toEqual(expected));
const [v1, v2, v3] = ['https://one.example/', 'https://two.example/', 'https://three.example/'];

describe('following', () => {
  it('serves nothing, and not an empty configuration, before anything was published', async () => {
    await follower.start();
    expect(follower.current).toBeUndefined();
  });

  it('reads everything first, then only what hints name', async () => {
    await channel.put([serverDocument('a', v1), serverDocument('b', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1, 'default/b': v1 });
    expect(channel.documentsRead()).toBe(2);
    await channel.put([serverDocument('a', v2)]);
    await eventually({ 'default/a': v2, 'default/b': v1 });
    expect(channel.documentsRead()).toBe(3);
    await channel.put([], { removed: ['b'] });
    await eventually({ 'default/a': v2 });
    expect(channel.documentsRead()).toBe(3);
  });

  it('keeps the snapshot a request holds as it was', async () => {
    await channel.put([serverDocument('a', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1 });
    const held = follower.current;
    await channel.put([serverDocument('a', v2)]);
    await eventually({ 'default/a': v2 });
    expect(held?.servers.get('default/a')?.upstream.url).toBe(v1);
  });

  it('swaps two names in one revision', async () => {
    await channel.put([serverDocument('1', v1, 'a'), serverDocument('2', v2, 'b')]);
    await follower.start();
    await eventually({ 'default/a': v1, 'default/b': v2 });
    await channel.put([serverDocument('1', v1, 'b'), serverDocument('2', v2, 'a')]);
    await eventually({ 'default/b': v1, 'default/a': v2 });
  });
});

describe('a hint that is lost', () => {
  beforeEach(async () => {
    await channel.put([serverDocument('a', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1 });
    channel.loseHints(true);
    await channel.put([serverDocument('a', v2), serverDocument('b', v2)]);
    channel.loseHints(false);
  });

  it('is made up for by the next one, whose base is not ours (fault 6)', async () => {
    await channel.put([serverDocument('c', v3)]);
    await eventually({ 'default/a': v2, 'default/b': v2, 'default/c': v3 });
  });

  it('is made up for by a new subscription', async () => {
    channel.subscribeAgain();
    await eventually({ 'default/a': v2, 'default/b': v2 });
  });

  it('is made up for by the poll', async () => {
    const polling = new SnapshotFollower({ channel, keys: specKeys, pollMs: 5, logger: silentLogger(), onApplied: () => undefined });
    channel.loseHints(true);
    await polling.start();
    await vi.waitFor(() => expect(polling.current?.servers.size).toBe(2));
    await channel.put([serverDocument('d', v1)]);
    await vi.waitFor(() => expect(polling.current?.servers.size).toBe(3));
    await polling.stop();
  });
});

describe('a restored database (fault 9)', () => {
  it('is followed to its lower revision, and nothing comes back', async () => {
    await channel.put([serverDocument('a', v1)]);
    await channel.put([serverDocument('late', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1, 'default/late': v1 });
    await channel.put([serverDocument('a', v1)], { mode: 'replace', revision: 1 });
    await eventually({ 'default/a': v1 });
    expect(follower.current?.state.revision).toBe(1);
  });
});

describe('a document that does not compile (fault 12)', () => {
  it('is rejected and reported, the others are updated, its old version stays', async () => {
    await channel.put([serverDocument('a', v1), serverDocument('b', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1, 'default/b': v1 });
    await channel.put([badDocument('a'), serverDocument('b', v2)]);
    await eventually({ 'default/a': v1, 'default/b': v2 });
    expect(follower.status.rejects).toEqual([{ id: 'a', reason: expect.stringContaining('/server/name') as string }]);
    await channel.put([serverDocument('a', v3)]);
    await eventually({ 'default/a': v3, 'default/b': v2 });
    expect(follower.status.rejects).toEqual([]);
  });

  it('is not taken from another id, nor in an older version than the index names', async () => {
    await channel.put([serverDocument('a', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1 });
    await channel.put([{ ...serverDocument('a', v2), sealed: serverDocument('b', v2).sealed }]);
    await vi.waitFor(() => expect(follower.status.rejects).toHaveLength(1));
    await channel.put([{ ...serverDocument('a', v3), sealed: serverDocument('a', v1).sealed }]);
    await vi.waitFor(() => expect(follower.current?.state.revision).toBe(3));
    expect(served()).toEqual({ 'default/a': v1 });
  });
});

describe('a channel that fails', () => {
  it('degrades, serves on, and catches up', async () => {
    await channel.put([serverDocument('a', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1 });
    channel.fail(true);
    await channel.put([serverDocument('a', v2)]);
    await vi.waitFor(() => expect(follower.status.degraded).toBe(true));
    expect(served()).toEqual({ 'default/a': v1 });
    channel.fail(false);
    channel.subscribeAgain();
    await eventually({ 'default/a': v2 });
    expect(follower.status.degraded).toBe(false);
    await channel.put([serverDocument('a', v3)]);
    await eventually({ 'default/a': v3 });
    // Only what was applied first after the outage may have come too late.
    expect(applied).toEqual([false, true, false]);
  });

  it('that comes back empty is not an empty configuration (fault 2)', async () => {
    const restored = new SnapshotFollower({ channel: faultyChannel(), keys: specKeys, pollMs: 5, logger: silentLogger(), onApplied: () => undefined });
    await channel.put([serverDocument('a', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1 });
    const snapshot = follower.current;
    if (snapshot) restored.restore(snapshot);
    // What nobody has confirmed yet may be old.
    expect(restored.status.degraded).toBe(true);
    await restored.start();
    await vi.waitFor(() => expect(restored.status.degraded).toBe(false));
    expect(restored.current?.servers.size).toBe(1);
    await restored.stop();
  });

  it('under another key gives no snapshot, and not an empty one', async () => {
    await channel.put([serverDocument('a', v1, 'a', snapshotKeysOf([randomBytes(32)]))]);
    await follower.start();
    await vi.waitFor(() => expect(follower.status.degraded).toBe(true));
    expect(follower.current).toBeUndefined();
  });
});

it('two data planes that serve the same have the same hash, whatever way they came there', async () => {
  await channel.put([serverDocument('a', v1), serverDocument('b', v1)]);
  await follower.start();
  await eventually({ 'default/a': v1, 'default/b': v1 });
  await channel.put([serverDocument('a', v2)]);
  await channel.put([], { removed: ['b'] });
  await eventually({ 'default/a': v2 });
  const late = new SnapshotFollower({ channel, keys: specKeys, pollMs: never, logger: silentLogger(), onApplied: () => undefined });
  await late.start();
  await vi.waitFor(() => expect(late.current?.hash).toBe(follower.current?.hash));
  await late.stop();
});
