import { type Logger, readSettings } from '@gatehouse/service-runtime';
import { type CallEventStream, connectRedisCallEventStream, connectRedisChannel, connectRedisSharedBuckets, createMemoryCallEventStream, createMemoryChannel, redisAccessOf, redisSettings, type SnapshotChannel } from '@gatehouse/snapshot-channel';

/** The channel of a whole gateway in one process: Redis where one is given, else in the process. */
export function openChannel(given: Readonly<Record<string, string>>, logger: Logger): SnapshotChannel {
  const access = redisAccessOf(readSettings(redisSettings, given));
  return access ? connectRedisChannel({ ...access, onConnectionError: (error) => logger.warn({ err: error }, 'Redis cannot be reached') }) : createMemoryChannel();
}

/** The way of call events in it. */
export function openCallEvents(given: Readonly<Record<string, string>>, logger: Logger): CallEventStream {
  const access = redisAccessOf(readSettings(redisSettings, given));
  return access ? connectRedisCallEventStream({ ...access, onConnectionError: (error) => logger.debug({ err: error }, 'Redis cannot be reached') }) : createMemoryCallEventStream();
}

/** The buckets of shared limits in it; without Redis the data plane has its own. */
export function openSharedBuckets(given: Readonly<Record<string, string>>, logger: Logger): ReturnType<typeof connectRedisSharedBuckets> | undefined {
  const access = redisAccessOf(readSettings(redisSettings, given));
  return access && connectRedisSharedBuckets({ ...access, onConnectionError: (error) => logger.debug({ err: error }, 'Redis cannot be reached') });
}
