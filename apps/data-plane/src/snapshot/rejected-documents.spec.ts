import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileDocument, type SealedDocument } from '@gatehouse/gateway-config';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { applyChange, emptySnapshot } from './current-snapshot.ts';
import { SnapshotFollower } from './follow-snapshots.ts';
import { badDocument, type FaultyChannel, faultyChannel, serverDocument, silentLogger, specKeys, unreadableDocument } from './spec-support.ts';
import { writeSnapshot } from './snapshot-disk.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';

let directory: string;
let channel: FaultyChannel;
let follower: SnapshotFollower;
const [v1, v2] = ['https://one.example/', 'https://two.example/'];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-rejected-'));
  channel = faultyChannel();
  follower = newFollower();
});
afterEach(async () => {
  await follower.stop();
  await rm(directory, { recursive: true, force: true });
});

const newFollower = (): SnapshotFollower =>
  new SnapshotFollower({ channel, keys: specKeys, pollMs: 5, logger: silentLogger(), onApplied: () => undefined });
const keeper = (): SnapshotKeeper => new SnapshotKeeper({ directory, keys: specKeys, logger: silentLogger(), current: () => follower.current });
const served = (): Record<string, string> => Object.fromEntries([...(follower.current?.servers.entries() ?? [])].map(([key, server]) => [key, server.upstream.url]));
const eventually = (expected: Record<string, string>): Promise<void> => vi.waitFor(() => expect(served()).toEqual(expected));
const reached = (revision: number): Promise<void> => vi.waitFor(() => expect(follower.current?.state.revision).toBe(revision));

/** Ends the process, and starts another one on what it left on disk. */
async function restart(): Promise<void> {
  await keeper().flush();
  await follower.stop();
  const kept = await keeper().load();
  follower = newFollower();
  if (kept) follower.restore(kept);
}

/** A document that this release does not understand, in the place of one that it does. */
const fromTheFuture = (id: string): SealedDocument => badDocument(id);

describe('after a restart', () => {
  it('a document that was rejected is looked at again, although the state is the same', async () => {
    await channel.put([serverDocument('a', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1 });
    await channel.put([fromTheFuture('a')]);
    await reached(2);
    await restart();
    const before = channel.documentsRead();
    await follower.start();
    await vi.waitFor(() => expect(follower.status.rejects).toMatchObject([{ id: 'a' }]));
    expect([channel.documentsRead() - before, served()]).toEqual([1, { 'default/a': v1 }]);
  });

  it('a document that was rejected is still known to have been, after a second restart without the channel', async () => {
    await channel.put([serverDocument('a', v1), serverDocument('b', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1, 'default/b': v1 });
    await channel.put([fromTheFuture('a')]);
    await reached(2);
    await restart();
    await restart();
    await follower.start();
    await vi.waitFor(() => expect(follower.status.rejects).toMatchObject([{ id: 'a' }]));
  });

  it('a kept document that this release rejects is fetched again', async () => {
    await channel.put([serverDocument('a', v1), serverDocument('b', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1, 'default/b': v1 });
    const current = follower.current;
    const b = current?.documents.get('b');
    if (!current || !b) throw new Error('not followed');
    // As the release before wrote it, that understood what this one does not.
    await writeSnapshot(directory, specKeys, applyChange(current, { state: current.state, prepared: [{ ...b, source: badDocument('b') }], removed: [] }));
    await follower.stop();
    const kept = await keeper().load();
    expect([kept?.servers.size, kept?.state.stamp === current.state.stamp]).toEqual([1, false]);
    follower = newFollower();
    if (kept) follower.restore(kept);
    await follower.start();
    await eventually({ 'default/a': v1, 'default/b': v1 });
  });

  it('a disk of which every document is rejected is no snapshot, and not an empty one', async () => {
    const state = { revision: 1, stamp: 'kept' };
    await channel.put([serverDocument('a', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1 });
    const a = follower.current?.documents.get('a');
    if (!a) throw new Error('not followed');
    await writeSnapshot(directory, specKeys, applyChange(emptySnapshot(state), { state, prepared: [{ ...a, source: badDocument('a') }], removed: [] }));
    const counted = keeper();
    expect(await counted.load()).toBeUndefined();
    expect(counted.failures).toBe(1);
  });

  it('an older version kept under its old name does not take the name back from who has it now', async () => {
    await channel.put([serverDocument('b', v2, 'x')]);
    await follower.start();
    await eventually({ 'default/x': v2 });
    await channel.put([fromTheFuture('b'), serverDocument('a', v1, 'x')]);
    await eventually({ 'default/x': v1 });
    await restart();
    expect(served()).toEqual({ 'default/x': v1 });
  });
});

describe('a name taken over while the one who had it was rejected', () => {
  it('stays with its new owner when the other one is repaired', async () => {
    await channel.put([serverDocument('b', v2, 'x')]);
    await follower.start();
    await eventually({ 'default/x': v2 });
    await channel.put([fromTheFuture('b')]);
    await channel.put([serverDocument('a', v1, 'x')]);
    await eventually({ 'default/x': v1 });
    await channel.put([serverDocument('b', v2, 'y')]);
    await eventually({ 'default/x': v1, 'default/y': v2 });
    await channel.put([], { removed: ['b'] });
    await eventually({ 'default/x': v1 });
  });

  it('and a key id likewise', async () => {
    const account = (id: string, name: string, keyId: string): SealedDocument =>
      compileDocument(specKeys, { kind: 'service-account', id, workspace: 'default', name, groups: [], keyId, keyHash: 'h' });
    const named = (keyId: string, name: string): Promise<void> => vi.waitFor(() => expect(follower.current?.serviceAccounts.get(keyId)?.name).toBe(name));
    await channel.put([account('b', 'first', 'k1')]);
    await follower.start();
    await named('k1', 'first');
    await channel.put([fromTheFuture('b'), account('a', 'second', 'k1')]);
    await named('k1', 'second');
    await channel.put([account('b', 'first', 'k2')]);
    await named('k2', 'first');
    await named('k1', 'second');
  });
});

describe('rejects', () => {
  it('of everything, at the first look, are no configuration at the second one either', async () => {
    await channel.put([badDocument('a')]);
    await follower.start();
    await vi.waitFor(() => expect(follower.status.degraded).toBe(true));
    channel.subscribeAgain();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([follower.current, follower.status.degraded]).toEqual([undefined, true]);
  });

  it('end when the version that is served is published again', async () => {
    await channel.put([serverDocument('a', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1 });
    await channel.put([badDocument('a')]);
    await vi.waitFor(() => expect(follower.status.rejects).toHaveLength(1));
    const first = serverDocument('a', v1);
    await channel.put([first], { mode: 'replace' });
    await vi.waitFor(() => expect(follower.status.rejects).toEqual([]));
    expect(served()).toEqual({ 'default/a': v1 });
  });
});

describe('a document that the control plane cannot open', () => {
  it('is served on as it was, and reported', async () => {
    await channel.put([serverDocument('a', v1), serverDocument('b', v1)]);
    await follower.start();
    await eventually({ 'default/a': v1, 'default/b': v1 });
    await channel.put([unreadableDocument('a'), serverDocument('b', v2)], { mode: 'replace' });
    await eventually({ 'default/a': v1, 'default/b': v2 });
    expect(follower.status.rejects).toEqual([{ id: 'a', reason: 'vault_sealed_value_unreadable' }]);
  });

  it('is missing, and reported, where there was no version of it', async () => {
    await channel.put([unreadableDocument('a'), serverDocument('b', v1)]);
    await follower.start();
    await eventually({ 'default/b': v1 });
    expect(follower.status.rejects).toMatchObject([{ id: 'a' }]);
  });
});

it('what a process left unfinished is removed at the next start, unless it still writes', async () => {
  const alive = `snapshot.${process.ppid}.tmp`;
  const left = ['snapshot.4194305.tmp', `snapshot.${process.pid}.tmp`, alive, 'snapshot.other'];
  for (const file of left) await writeFile(join(directory, file), 'half');
  await keeper().load();
  expect((await readdir(directory)).sort()).toEqual([alive, 'snapshot.other'].sort());
});
