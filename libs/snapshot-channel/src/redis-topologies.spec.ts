import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort, startRedis } from '../../../test/support/redis.ts';
import { startRedisBehindSentinels } from '../../../test/support/redis-sentinels.ts';
import { startRedisCluster } from '../../../test/support/redis-cluster.ts';
import { selfSignedCertificate } from '../../egress/src/testing/self-signed-certificate.ts';
import { connectRedisCallEventStream } from './redis-call-event-stream.ts';
import { connectRedisChannel } from './redis-channel.ts';
import type { RedisAccess } from './redis-connection.ts';
import { connectRedisSharedBuckets } from './redis-shared-buckets.ts';
import type { ChannelEvent, Hint, SnapshotChannel } from './snapshot-channel.ts';

interface Place {
  readonly access: RedisAccess;
  stop(): Promise<void>;
}

const certificate = selfSignedCertificate();

async function startWithTls(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  await Promise.all([writeFile(key, certificate.key), writeFile(cert, certificate.cert)]);
  const port = await freePort();
  // It asks for a certificate, and takes its own.
  const redis = await startRedis({ args: ['--tls-port', String(port), '--tls-key-file', key, '--tls-cert-file', cert, '--tls-ca-cert-file', cert, '--tls-auth-clients', 'yes'] });
  const access = { url: new Secret(`rediss://127.0.0.1:${port}`), ca: new Secret(certificate.cert), clientCertificate: new Secret(certificate.cert + certificate.key) };
  return {
    access,
    stop: async () => {
      await redis.stop();
      await rm(folder, { recursive: true });
    },
  };
}

const places: [string, () => Promise<Place>][] = [
  ['with a certificate of a private authority', startWithTls],
  ['behind a sentinel', async () => {
    const { url, stop } = await startRedisBehindSentinels({ password: 'p@ss/word' });
    return { access: { url: new Secret(url) }, stop };
  }],
  ['that is a cluster', async () => {
    const { url, stop } = await startRedisCluster();
    return { access: { url: new Secret(url) }, stop };
  }],
];

describe.each(places)('a Redis %s', (_name, start) => {
  let place: Place;
  let channel: SnapshotChannel;
  beforeAll(async () => {
    place = await start();
    channel = connectRedisChannel(place.access);
  });
  afterAll(async () => {
    await channel?.close();
    await place?.stop();
  });

  it('carries configuration, and tells those who follow it', async () => {
    const follower = connectRedisChannel(place.access);
    const heard: (Hint | ChannelEvent)[] = [];
    const subscribed = Promise.withResolvers<void>();
    await follower.follow({ onSubscribed: subscribed.resolve, onHint: (hint) => heard.push(hint), onEvent: (event) => heard.push(event) });
    await subscribed.promise;
    const documents = Array.from({ length: 600 }, (_, index) => ({ id: `d${index}`, hash: 'h', sealed: Buffer.from([index % 256]) }));
    const state = await channel.publish({ expected: undefined, revision: 1, mode: 'replace', documents, removed: [] });
    const next = await channel.publish({ expected: state, revision: 2, mode: 'change', documents: documents.slice(0, 1), removed: ['d1'] });
    const event = { connected: { owner: 'app', linkId: 'link' } };
    await channel.publishEvent(event);
    await vi.waitFor(() => expect(heard).toHaveLength(3), { timeout: 20_000 });
    // In a cluster what is said by another node may come earlier or later: only hints are in their order.
    expect(heard.filter((one) => !('connected' in one))).toMatchObject([{ state, replaced: true }, { state: next, removed: ['d1'] }]);
    expect(heard).toContainEqual(event);
    expect((await follower.readIndex())?.index.size).toBe(599);
    expect(await follower.readDocuments(['d0', 'd1', 'd2'])).toEqual([documents[0], documents[2]]);
    expect(await follower.isWhole()).toBe(true);
    await follower.close();
  });

  it('carries heartbeats and call events', async () => {
    const heartbeat = { id: 'pod', version: '1', revision: 1, hash: 'h', ageSeconds: 1, source: 'channel', rejects: [], draining: false, reportedAt: new Date().toISOString() } as const;
    await channel.reportHeartbeat(heartbeat);
    expect(await channel.readHeartbeats()).toEqual([heartbeat]);
    const stream = connectRedisCallEventStream(place.access);
    await stream.append(['{"id":"1"}']);
    const stored: string[] = [];
    expect(await stream.take('one', 10, (batches) => Promise.resolve(void stored.push(...batches)))).toBe(1);
    expect(stored).toEqual(['[{"id":"1"}]']);
    await stream.close();
  });

  it('counts what data planes share', async () => {
    const buckets = connectRedisSharedBuckets({ ...place.access, timeoutMs: 20_000 });
    const rate = { intervalMs: 3_600_000, burst: 3 };
    // In a cluster they are on several nodes.
    for (const key of ['a', 'b', 'c', 'd']) expect([(await buckets.take(key, rate, 2)).granted, (await buckets.take(key, rate, 2)).granted]).toEqual([2, 1]);
    await buckets.close();
  });
});

it('a Redis with another authority’s certificate is not taken', async () => {
  const place = await startWithTls();
  const errors: Error[] = [];
  const channel = connectRedisChannel({ ...place.access, ca: new Secret(selfSignedCertificate().cert), onConnectionError: (error) => errors.push(error) });
  await expect(channel.readState()).rejects.toThrow();
  expect(errors).toContainEqual(expect.objectContaining({ code: expect.stringMatching(/CERT|SIGNATURE/) as string }));
  await channel.close();
  await place.stop();
});
