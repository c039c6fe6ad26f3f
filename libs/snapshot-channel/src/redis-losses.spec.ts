import { Secret } from '@gatehouse/sealing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRedis, startRedis } from '../../../test/support/redis.ts';
import { connectRedisChannel } from './redis-channel.ts';
import { redisKeys } from './redis-keys.ts';
import { publishScript } from './redis-scripts.ts';
import type { ChannelDocument, Publication, SnapshotChannel } from './snapshot-channel.ts';

let redis: RunningRedis;
let admin: Redis;
let channel: SnapshotChannel;
beforeAll(async () => {
  redis = await startRedis();
  admin = new Redis(redis.url);
  channel = connectRedisChannel({ url: new Secret(redis.url) });
});
beforeEach(() => admin.flushall());
afterAll(async () => {
  await channel?.close();
  admin?.disconnect();
  await redis?.stop();
});

const document = (id: string): ChannelDocument => ({ id, hash: `hash of ${id}`, sealed: Buffer.from(id) });
const publication = (mode: Publication['mode'], ids: readonly string[], expected: Publication['expected']): Publication => ({
  expected, revision: (expected?.revision ?? 0) + 1, mode, documents: ids.map(document), removed: [],
});
const everything = async (): Promise<unknown> => ({
  state: await admin.hgetall(redisKeys.state), index: await admin.hgetall(redisKeys.index), documents: await admin.hgetall(redisKeys.documents),
});

describe.each(['replace', 'change'] as const)('staged documents that are lost before a publication in mode %s', (mode) => {
  const staging = redisKeys.staging('stamp-2');
  const publishStaged = async (staged: number): Promise<unknown> => {
    const keys = [redisKeys.state, redisKeys.index, redisKeys.documents, staging.index, staging.documents];
    const expected = await channel.readState();
    return admin.eval(publishScript, keys.length, ...keys, expected?.stamp ?? '', '2', 'stamp-2', mode, redisKeys.hints, 'hint', String(staged));
  };
  const stage = async (): Promise<void> => {
    await admin.hset(staging.index, 'c', 'h', 'd', 'h');
    await admin.hset(staging.documents, 'c', 'd', 'd', 'd');
  };

  it.each<[string, () => Promise<unknown>]>([
    ['all of them', () => admin.del(staging.index, staging.documents)],
    ['their documents', () => admin.del(staging.documents)],
    ['their index', () => admin.del(staging.index)],
    ['one of them', () => admin.hdel(staging.documents, 'd')],
  ])('%s: nothing is written', async (_name, lose) => {
    await channel.publish(publication('replace', ['a', 'b'], undefined));
    const before = await everything();
    await stage();
    await lose();
    expect(await publishStaged(2)).not.toBe(1);
    expect(await everything()).toEqual(before);
    expect(await admin.keys('*stamp-2*')).toEqual([]);
  });

  it('none of them: it is published', async () => {
    await channel.publish(publication('replace', ['a'], undefined));
    await stage();
    expect(await publishStaged(2)).toBe(1);
    expect((await channel.readIndex())?.index.size).toBe(mode === 'change' ? 3 : 2);
    expect(await admin.ttl(redisKeys.documents)).toBe(-1);
  });
});

describe('live keys that are lost', () => {
  it.each([
    ['the index', [redisKeys.index]],
    ['the documents', [redisKeys.documents]],
    ['both, which look like an empty configuration', [redisKeys.index, redisKeys.documents]],
  ])('%s: no index is read, no change is built on it, a replacement makes it whole', async (_name, keys) => {
    const state = await channel.publish(publication('replace', ['a', 'b'], undefined));
    expect(await channel.isWhole()).toBe(true);
    await admin.del(...keys);
    expect(await channel.isWhole()).toBe(false);
    await expect(channel.readIndex()).rejects.toThrow('not whole');
    await expect(channel.publish(publication('change', ['c'], state))).rejects.toThrow('not whole');
    expect(await channel.readState()).toEqual(state);
    await channel.publish(publication('replace', ['a', 'b', 'c'], state));
    expect([await channel.isWhole(), (await channel.readIndex())?.index.size]).toEqual([true, 3]);
  });

  it('none at all, of a publication without documents, is whole', async () => {
    const state = await channel.publish(publication('replace', [], undefined));
    expect([await channel.isWhole(), await channel.readIndex()]).toEqual([true, { state, index: new Map() }]);
    const filled = await channel.publish(publication('change', ['a'], state));
    const emptied = await channel.publish(publication('replace', [], filled));
    expect(await channel.readIndex()).toEqual({ state: emptied, index: new Map() });
  });
});

describe('heartbeats', () => {
  const report = (id: string): Promise<void> =>
    channel.reportHeartbeat({
      id, version: '1', revision: 1, hash: 'h', ageSeconds: 1, source: 'channel', rejects: [], draining: false,
      // Of a clock that is wrong, which says nothing of who is alive.
      reportedAt: '2020-01-01T00:00:00.000Z',
    });
  const silentFor = (id: string, seconds: number): Promise<unknown> => admin.zadd(redisKeys.heartbeatTimes, Date.now() - seconds * 1000, id);

  it('of data planes that have been silent for more than a minute are not read', async () => {
    await report('gone');
    await report('here');
    await silentFor('gone', 61);
    await silentFor('here', 58);
    expect((await channel.readHeartbeats()).map(({ id }) => id)).toEqual(['here']);
  });

  it('go when another data plane reports, whether anybody reads them or not', async () => {
    for (const id of ['pod-1', 'pod-2']) await report(id);
    for (const id of ['pod-1', 'pod-2']) await silentFor(id, 61);
    await report('pod-3');
    expect(await admin.hkeys(redisKeys.heartbeats)).toEqual(['pod-3']);
    expect(await admin.zcard(redisKeys.heartbeatTimes)).toBe(1);
  });

  it('go all together when nobody reports any more', async () => {
    await report('pod-1');
    for (const key of [redisKeys.heartbeats, redisKeys.heartbeatTimes]) expect(await admin.pttl(key)).toBeGreaterThan(0);
  });
});
