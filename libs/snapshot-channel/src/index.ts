export { createMemoryChannel } from './memory-channel.ts';
export { connectRedisChannel, type RedisChannelOptions } from './redis-channel.ts';
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
