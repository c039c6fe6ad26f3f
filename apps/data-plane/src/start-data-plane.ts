import 'reflect-metadata';
import type { SharedBuckets } from '@gatehouse/call-limits';
import { createLogger, InvalidSettingsError, type Logger, readSettings } from '@gatehouse/service-runtime';
import { type CallEventStream, connectRedisCallEventStream, connectRedisChannel, connectRedisSharedBuckets, type RedisConnectionOptions, redisAccessOf, type SnapshotChannel } from '@gatehouse/snapshot-channel';
import { DataPlane, type DataPlaneSettings } from './data-plane.ts';
import { dataPlaneSettings } from './environment.ts';
import { createHealth } from './health/create-health.ts';

export interface DataPlaneOptions extends GivenChannels {
  /** `GATEHOUSE_*` variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger?: Logger;
}

/** What a data plane uses in the place of connections of its own. */
interface GivenChannels {
  /** The channel to use instead of Redis; it is not closed with the data plane. */
  readonly channel?: SnapshotChannel;
  /** Where events of calls go beside that channel; without it none are kept. It is not closed with the data plane. */
  readonly callEvents?: CallEventStream;
  /** Of limits that all data planes share, beside that channel; without it those are all in this process. It is not closed with the data plane. */
  readonly sharedBuckets?: SharedBuckets;
}

export interface RunningDataPlane {
  readonly url: string;
  readonly internalUrl: string;
  /** Before `close`, where others go on: ends what callers have here without breaking anything off, and resolves when nobody is left. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts one data plane and gives its URLs once it listens. It is ready when `/readyz` on the internal URL says so.
 * @throws InvalidSettingsError
 */
export async function startDataPlane({ environment, logger: givenLogger, ...given }: DataPlaneOptions): Promise<RunningDataPlane> {
  const settings = readSettings(dataPlaneSettings, environment);
  const logger = givenLogger ?? createLogger({ level: settings.LOG_LEVEL, role: 'data-plane' });
  const { dataPlane, close: closeDataPlane } = openDataPlane(settings, logger, given);
  const internal = await createHealth(dataPlane, logger);
  const close = async (): Promise<void> => {
    // Health answers until the last request is done: a probe sees "draining", not a closed port.
    await dataPlane.stop();
    await internal.close();
    await closeDataPlane();
  };
  try {
    await internal.listen(settings.DATA_PLANE_INTERNAL_PORT, settings.DATA_PLANE_INTERNAL_HOST);
    const url = await dataPlane.start();
    logger.info({ url }, 'data plane listens');
    return { url, internalUrl: await internal.getUrl(), drain: () => dataPlane.drain(), close };
  } catch (error) {
    // A port that is taken, say: nothing of what was started may keep the process, or its health, alive.
    await close();
    throw error;
  }
}

/** A data plane that listens nowhere yet, with connections of its own where none are given. */
export function openDataPlane(settings: DataPlaneSettings, logger: Logger, { channel, callEvents, sharedBuckets }: GivenChannels = {}): { dataPlane: DataPlane; close: () => Promise<void> } {
  const ownChannel = channel ? undefined : connectRedisChannel(redisOptions(settings, logger));
  const ownCallEvents = channel || !settings.CALL_EVENTS ? undefined : connectOwnCallEvents(settings, logger);
  const ownBuckets = channel ? undefined : connectRedisSharedBuckets(redisOptions(settings, logger));
  const dataPlane = new DataPlane(settings, (channel ?? ownChannel) as SnapshotChannel, logger, settings.CALL_EVENTS ? (callEvents ?? ownCallEvents) : undefined, sharedBuckets ?? ownBuckets);
  const close = async (): Promise<void> => {
    await dataPlane.stop();
    await Promise.all([ownChannel?.close(), ownCallEvents?.close(), ownBuckets?.close()]);
  };
  return { dataPlane, close };
}

const connectOwnCallEvents = (settings: DataPlaneSettings, logger: Logger): CallEventStream =>
  connectRedisCallEventStream({ ...redisOptions(settings, logger), maxEvents: settings.CALL_EVENTS_MAX_WAITING });

function redisOptions(settings: DataPlaneSettings, logger: Logger): RedisConnectionOptions {
  const access = redisAccessOf(settings);
  if (!access) throw new InvalidSettingsError('GATEHOUSE_REDIS_URL is required');
  return { ...access, onConnectionError: (error) => logger.debug({ err: error }, 'redis connection') };
}
