export type { CallEventStream, WaitingCallEvents } from './call-event-stream.ts';
export { createMemoryCallEventStream } from './memory-call-event-stream.ts';
export { createMemoryChannel } from './memory-channel.ts';
export { connectRedisCallEventStream, type RedisCallEventStreamOptions } from './redis-call-event-stream.ts';
export { connectRedisChannel } from './redis-channel.ts';
export type { RedisAccess, RedisConnectionOptions } from './redis-connection.ts';
export { connectRedisSharedBuckets, type RedisSharedBucketsOptions } from './redis-shared-buckets.ts';
export { redisAccessOf, redisSettings } from './redis-settings.ts';
export type {
  ChannelDocument,
  ChannelEvent,
  ChannelListener,
  ChannelState,
  Heartbeat,
  Hint,
  Publication,
  SnapshotChannel,
} from './snapshot-channel.ts';
