import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SnapshotFollower } from './follow-snapshots.ts';
import { type FaultyChannel, faultyChannel, serverDocument, silentLogger, specKeys } from './spec-support.ts';

let channel: FaultyChannel;
let follower: SnapshotFollower;
/** Of each change, whether the channel had failed before. */
let afterOutage: boolean[];

beforeEach(() => {
  channel = faultyChannel();
  afterOutage = [];
  follower = new SnapshotFollower({ channel, keys: specKeys, pollMs: 5, logger: silentLogger(), onApplied: (after) => void afterOutage.push(after) });
});
afterEach(() => follower.stop());

const names = (): string[] => [...(follower.current?.servers.entries() ?? [])].map(([key]) => key).sort();

it('documents that the index names and that are gone are no configuration: degraded, until they are there again', async () => {
  await channel.put([serverDocument('a'), serverDocument('b')]);
  channel.loseDocuments(['a', 'b']);
  await follower.start();
  await vi.waitFor(() => expect(follower.status.degraded).toBe(true));
  expect(follower.current).toBeUndefined();
  channel.loseDocuments([]);
  await vi.waitFor(() => expect(names()).toEqual(['default/a', 'default/b']));
  expect(follower.status.degraded).toBe(false);
});

it('a changed document that is gone keeps everything as it was, and is taken when it is back', async () => {
  await channel.put([serverDocument('a')]);
  await follower.start();
  await vi.waitFor(() => expect(names()).toEqual(['default/a']));
  channel.loseDocuments(['b']);
  await channel.put([serverDocument('b')]);
  await vi.waitFor(() => expect(follower.status.degraded).toBe(true));
  expect([names(), follower.current?.state.revision]).toEqual([['default/a'], 1]);
  channel.loseDocuments([]);
  await vi.waitFor(() => expect(names()).toEqual(['default/a', 'default/b']));
});

it('a document that was removed between index and documents is not missed', async () => {
  await channel.put([serverDocument('a'), serverDocument('b')]);
  channel.loseHints(true);
  channel.beforeDocuments(() => channel.put([], { removed: ['b'] }));
  await follower.start();
  await vi.waitFor(() => expect(names()).toEqual(['default/a']));
  expect(afterOutage).not.toContain(true);
});
