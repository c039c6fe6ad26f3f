import { Secret } from '@gatehouse/sealing';
import { type Logger, readSettings, settingSchemas } from '@gatehouse/service-runtime';
import { type CallEventStream, connectRedisCallEventStream, connectRedisChannel, createMemoryCallEventStream, createMemoryChannel, type SnapshotChannel } from '@gatehouse/snapshot-channel';

const settings = {
  REDIS_URL: { schema: settingSchemas.secret.optional(), secret: true, description: 'redis:// or rediss:// URL of the channel between the planes' },
};

/** The channel of a whole gateway in one process: Redis where one is given, else in the process. */
export function openChannel(given: Readonly<Record<string, string>>, logger: Logger): SnapshotChannel {
  const { REDIS_URL: url } = readSettings(settings, given);
  return url instanceof Secret ? redisChannel(url, logger) : createMemoryChannel();
}

/** The way of call events in it. */
export function openCallEvents(given: Readonly<Record<string, string>>, logger: Logger): CallEventStream {
  const { REDIS_URL: url } = readSettings(settings, given);
  return url instanceof Secret ? connectRedisCallEventStream({ url, onConnectionError: (error) => logger.debug({ err: error }, 'Redis cannot be reached') }) : createMemoryCallEventStream();
}

/** The channel of one role: there is no other than Redis between processes. */
export function redisChannel(url: Secret, logger: Logger): SnapshotChannel {
  return connectRedisChannel({ url, onConnectionError: (error) => logger.warn({ err: error }, 'Redis cannot be reached') });
}
