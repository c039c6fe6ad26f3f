import { randomUUID } from 'node:crypto';
import { Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { type RunningRedis, startRedis } from '../../../test/support/redis.ts';
import { createMemoryChannel } from './memory-channel.ts';
import { connectRedisChannel } from './redis-channel.ts';
import { redisKeys } from './redis-keys.ts';
import type { ChannelDocument, ChannelEvent, ChannelState, Hint, SnapshotChannel } from './snapshot-channel.ts';

let redis: RunningRedis;
beforeAll(async () => void (redis = await startRedis()));
afterAll(() => redis.stop());

const document = (id: string, hash = 'h1'): ChannelDocument => ({ id, hash, sealed: Buffer.from([0, 255, 10, 13, ...Buffer.from(id + hash)]) });
const change = (expected: ChannelState | undefined, documents: ChannelDocument[], removed: string[] = []) =>
  ({ expected, revision: (expected?.revision ?? 0) + 1, mode: 'change', documents, removed }) as const;

const channels: [string, () => Promise<SnapshotChannel>][] = [
  ['in process', () => Promise.resolve(createMemoryChannel())],
  [
    'over Redis',
    async () => {
      const admin = new Redis(redis.url);
      await admin.flushall();
      admin.disconnect();
      return connectRedisChannel({ url: new Secret(redis.url) });
    },
  ],
];

describe.each(channels)('the channel %s', (_name, open) => {
  const withChannel = async (use: (channel: SnapshotChannel) => Promise<void>): Promise<void> => {
    const channel = await open();
    try {
      await use(channel);
    } finally {
      await channel.close();
    }
  };

  it('is empty before anything was published, which is not an empty configuration', () =>
    withChannel(async (channel) => {
      expect(await channel.readState()).toBeUndefined();
      expect(await channel.readIndex()).toBeUndefined();
      expect(await channel.readDocuments(['a'])).toEqual([]);
    }));

  it('gives back what was published, byte for byte', () =>
    withChannel(async (channel) => {
      const state = await channel.publish(change(undefined, [document('a'), document('b')]));
      expect(await channel.readState()).toEqual(state);
      expect(await channel.readIndex()).toEqual({ state, index: new Map([['a', 'h1'], ['b', 'h1']]) });
      expect(await channel.readDocuments(['b', 'missing'])).toEqual([document('b')]);
    }));

  it('changes and removes', () =>
    withChannel(async (channel) => {
      const first = await channel.publish(change(undefined, [document('a'), document('b')]));
      await channel.publish(change(first, [document('a', 'h2')], ['b']));
      expect((await channel.readIndex())?.index).toEqual(new Map([['a', 'h2']]));
      expect(await channel.readDocuments(['a', 'b'])).toEqual([document('a', 'h2')]);
    }));

  it('replaces everything, also by a lower revision, also by nothing', () =>
    withChannel(async (channel) => {
      const first = await channel.publish({ ...change(undefined, [document('a'), document('b')]), revision: 9 });
      const second = await channel.publish({ expected: first, revision: 3, mode: 'replace', documents: [document('c')], removed: [] });
      expect(await channel.readIndex()).toEqual({ state: { revision: 3, stamp: second?.stamp }, index: new Map([['c', 'h1']]) });
      await channel.publish({ expected: second, revision: 4, mode: 'replace', documents: [], removed: [] });
      expect((await channel.readIndex())?.index.size).toBe(0);
    }));

  it('takes one of two publications that build on the same state, whole, and nothing of the other', () =>
    withChannel(async (channel) => {
      const first = await channel.publish(change(undefined, [document('a')]));
      const results = await Promise.all([channel.publish(change(first, [document('x')])), channel.publish(change(first, [document('y')]))]);
      expect(results.filter((result) => result !== undefined)).toHaveLength(1);
      const index = (await channel.readIndex())?.index;
      expect(index?.size).toBe(2);
      expect(await channel.publish(change(undefined, [document('z')]))).toBeUndefined();
    }));

  it('tells followers what changed and what it was built on', () =>
    withChannel(async (channel) => {
      const hints: Hint[] = [];
      let onHint: () => void = () => undefined;
      await new Promise<void>((resolve) => {
        void channel.follow({ onSubscribed: resolve, onHint: (hint) => (hints.push(hint), onHint()) });
      });
      const both = new Promise<void>((resolve) => (onHint = () => hints.length === 2 && resolve()));
      const first = await channel.publish(change(undefined, [document('a')]));
      const second = await channel.publish(change(first, [], ['a']));
      await both;
      expect(hints[0]).toMatchObject({ state: first, changed: [{ id: 'a', hash: 'h1' }], removed: [], replaced: false });
      expect(hints[1]).toMatchObject({ state: second, previousStamp: first?.stamp, changed: [], removed: ['a'] });
    }));

  it('tells followers of events, until they follow no more', () =>
    withChannel(async (channel) => {
      const events: ChannelEvent[] = [];
      let heard: () => void = () => undefined;
      const subscribed = new Promise<void>((resolve) => void (heard = resolve));
      const next = (): Promise<void> => new Promise((resolve) => void (heard = resolve));
      const unfollow = await channel.follow({
        onHint: () => undefined,
        onSubscribed: () => heard(),
        onEvent: (event) => {
          events.push(event);
          heard();
        },
      });
      await subscribed;
      const event = { connected: { owner: 'app', person: 'ana', linkId: 'link' } };
      const told = next();
      await channel.publishEvent(event);
      await told;
      await unfollow();
      await channel.publishEvent(event);
      expect(events).toEqual([event]);
    }));

  it('carries many documents at once', () =>
    withChannel(async (channel) => {
      const documents = Array.from({ length: 2_345 }, (_, index) => document(`d${index}`));
      await channel.publish({ expected: undefined, revision: 1, mode: 'replace', documents, removed: [] });
      expect((await channel.readIndex())?.index.size).toBe(2_345);
      expect(await channel.readDocuments(documents.map(({ id }) => id))).toHaveLength(2_345);
    }));

  it('knows the data planes of the last minute', () =>
    withChannel(async (channel) => {
      const heartbeat = { id: randomUUID(), version: '1', revision: 1, hash: 'h', ageSeconds: 1, source: 'channel', rejects: [], draining: false, reportedAt: new Date().toISOString() } as const;
      await channel.reportHeartbeat(heartbeat);
      expect(await channel.readHeartbeats()).toContainEqual(heartbeat);
    }));
});

describe('the channel over Redis', () => {
  it('subscribes again after its connection was killed, and says so', async () => {
    const channel = connectRedisChannel({ url: new Secret(redis.url) });
    let subscriptions = 0;
    let again: () => void = () => undefined;
    await new Promise<void>((resolve) => {
      void channel.follow({ onHint: () => undefined, onSubscribed: () => ((subscriptions += 1), resolve(), again()) });
    });
    const resubscribed = new Promise<void>((resolve) => (again = resolve));
    const admin = new Redis(redis.url);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await resubscribed;
    expect(subscriptions).toBeGreaterThan(1);
    admin.disconnect();
    await channel.close();
  });

  it('leaves nothing behind of a publication that was refused', async () => {
    const admin = new Redis(redis.url);
    await admin.flushall();
    const channel = connectRedisChannel({ url: new Secret(redis.url) });
    await channel.publish(change({ revision: 5, stamp: 'never' }, [document('a')]));
    expect(await admin.keys('*')).toEqual([]);
    await channel.publish(change(undefined, [document('a')]));
    expect((await admin.keys('*')).sort()).toEqual([redisKeys.documents, redisKeys.index, redisKeys.state].sort());
    admin.disconnect();
    await channel.close();
  });

  it('is bounded in time when Redis is gone', async () => {
    const gone = await startRedis();
    const channel = connectRedisChannel({ url: new Secret(gone.url) });
    await channel.readState();
    await gone.stop();
    await expect(channel.readState()).rejects.toThrow();
    await channel.close();
  });
});
