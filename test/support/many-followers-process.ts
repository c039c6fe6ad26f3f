import { parseKey, Secret } from '@gatehouse/sealing';
import { snapshotKeysOf } from '@gatehouse/gateway-config';
import { createLogger } from '@gatehouse/service-runtime';
import { type ChannelListener, connectRedisChannel } from '@gatehouse/snapshot-channel';
import { Heartbeats } from '../../apps/data-plane/src/heartbeats.ts';
import { SnapshotFollower } from '../../apps/data-plane/src/snapshot/follow-snapshots.ts';
import type { FollowerState, ManyFollowersOptions } from './many-followers.ts';

/*
 * What data planes do with Redis, many times over in one process: the follower and the heartbeats of each are the product's, on
 * connections of its own; there is no server beside them. Answers each message with the state of all.
 */

const { count, redisUrl, snapshotKey, pollMs } = JSON.parse(process.argv[2] ?? '') as ManyFollowersOptions;
const logger = createLogger({ level: 'silent', role: 'data-plane' });
const keys = snapshotKeysOf([parseKey(snapshotKey)]);

const followers = Array.from({ length: count }, (_, index) => {
  const channel = connectRedisChannel({ url: new Secret(redisUrl) });
  const subscribedAt: number[] = [];
  const follow = (listener: ChannelListener) =>
    channel.follow({
      ...listener,
      onSubscribed: () => {
        subscribedAt.push(Date.now());
        listener.onSubscribed();
      },
    });
  const follower: SnapshotFollower = new SnapshotFollower({ channel: { ...channel, follow }, keys, pollMs, logger, onApplied: () => heartbeats.beat() });
  const heartbeats = new Heartbeats({ channel, id: `follower-${index}`, intervalMs: pollMs, status: () => follower.status, isDraining: () => false });
  return { follower, heartbeats, subscribedAt };
});

process.on('message', () => {
  const states = followers.map(({ follower: { current }, subscribedAt }): FollowerState => ({ revision: current?.state.revision, hash: current?.hash, subscribedAt }));
  process.send?.(states);
});
for (const { follower, heartbeats } of followers) {
  await follower.start();
  heartbeats.beat();
}
process.send?.('started');
