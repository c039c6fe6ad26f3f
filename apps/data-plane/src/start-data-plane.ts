import 'reflect-metadata';
import type { Secret } from '@gatehouse/sealing';
import { createLogger, InvalidSettingsError, type Logger, nestLogger, readSettings } from '@gatehouse/service-runtime';
import { connectRedisChannel, type SnapshotChannel } from '@gatehouse/snapshot-channel';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.ts';
import { DataPlane } from './data-plane.ts';
import { dataPlaneSettings } from './environment.ts';

export interface DataPlaneOptions {
  /** `GATEHOUSE_*` variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The channel to use instead of Redis; it is not closed with the data plane. */
  readonly channel?: SnapshotChannel;
  readonly logger?: Logger;
}

export interface RunningDataPlane {
  readonly url: string;
  readonly internalUrl: string;
  close(): Promise<void>;
}

/**
 * Starts one data plane and gives its URLs once it listens. It is ready when `/readyz` on the internal URL says so.
 * @throws InvalidSettingsError
 */
export async function startDataPlane({ environment, channel, logger: givenLogger }: DataPlaneOptions): Promise<RunningDataPlane> {
  const settings = readSettings(dataPlaneSettings, environment);
  const logger = givenLogger ?? createLogger({ level: settings.LOG_LEVEL, role: 'data-plane' });
  const ownChannel = channel ? undefined : connectOwnChannel(settings.REDIS_URL, logger);
  const dataPlane = new DataPlane(settings, (channel ?? ownChannel) as SnapshotChannel, logger);
  const internal = await NestFactory.create<NestFastifyApplication>(AppModule.for(dataPlane), new FastifyAdapter(), { logger: nestLogger(logger), abortOnError: false });
  const close = async (): Promise<void> => {
    // Health answers until the last request is done: a probe sees "draining", not a closed port.
    await dataPlane.stop();
    await internal.close();
    await ownChannel?.close();
  };
  try {
    await internal.listen(settings.DATA_PLANE_INTERNAL_PORT, settings.DATA_PLANE_INTERNAL_HOST);
    const url = await dataPlane.start();
    logger.info({ url }, 'data plane listens');
    return { url, internalUrl: await internal.getUrl(), close };
  } catch (error) {
    // A port that is taken, say: nothing of what was started may keep the process, or its health, alive.
    await close();
    throw error;
  }
}

function connectOwnChannel(url: Secret | undefined, logger: Logger): SnapshotChannel {
  if (!url) throw new InvalidSettingsError('GATEHOUSE_REDIS_URL is required');
  return connectRedisChannel({ url, onConnectionError: (error) => logger.debug({ err: error }, 'redis connection') });
}
