import { mkdir } from 'node:fs/promises';
import type { Logger } from '@gatehouse/service-runtime';
import { startEmbeddedPostgres } from '../embedded-postgres/start-embedded-postgres.ts';
import type { DataDirectory } from '../data-directory.ts';
import type { ClosingStack } from './closing-stack.ts';
import type { InstanceSecrets } from './instance-secrets.ts';
import { openCallEvents, openChannel, openSharedBuckets } from './open-channel.ts';
import { planeSettings } from './plane-settings.ts';
import { reservePort } from './reserve-port.ts';
import type { Stopwatch } from './stopwatch.ts';
import { waitUntilReady } from './wait-until-served.ts';

export interface GatewayStart {
  readonly directory: DataDirectory;
  readonly secrets: InstanceSecrets;
  readonly controlPlanePort: number;
  readonly dataPlanePort: number;
  /** The `GATEHOUSE_…` variables of this process. */
  readonly given: Readonly<Record<string, string>>;
  readonly loggerOf: (role: string) => Logger;
  /** Takes everything that was started, in order. */
  readonly parts: ClosingStack;
  readonly stopwatch: Stopwatch;
  /** Aborted: the start stops between two phases. */
  readonly signal: AbortSignal;
}

export interface StartedGateway {
  readonly controlPlaneUrl: string;
  readonly dataPlaneUrl: string;
  /** Health and debugging of the data plane. */
  readonly dataPlaneInternalUrl: string;
}

/** Starts database, channel, control plane and data plane, each on top of the ones before. */
export async function startGateway(start: GatewayStart): Promise<StartedGateway> {
  const { directory, secrets, given, loggerOf, parts, stopwatch, signal } = start;
  const controlPlanePort = await reservePort(start.controlPlanePort, '--control-plane-port');
  parts.add('control plane port', () => controlPlanePort.release());
  const dataPlanePort = await reservePort(start.dataPlanePort, '--data-plane-port');
  parts.add('data plane port', () => dataPlanePort.release());

  // Loading the planes' code takes as long as starting Postgres: both at once.
  const [databaseUrl, { startControlPlane }, { startDataPlane }] = await Promise.all([
    stopwatch.time('database', () => startDatabase(start)),
    stopwatch.time('loadControlPlane', () => import('@gatehouse/control-plane')),
    stopwatch.time('loadDataPlane', () => import('@gatehouse/data-plane')),
  ]);
  signal.throwIfAborted();

  const environment = planeSettings({
    given,
    dataDirectory: directory.path,
    databaseUrl,
    secrets,
    controlPlanePort: controlPlanePort.port,
    dataPlanePort: dataPlanePort.port,
  });
  await mkdir(environment['GATEHOUSE_SNAPSHOT_DIR'] ?? '', { recursive: true, mode: 0o700 });
  const channel = openChannel(given, loggerOf('up'));
  parts.add('channel', () => channel.close());
  const callEvents = openCallEvents(given, loggerOf('up'));
  parts.add('call events', () => callEvents.close());
  const sharedBuckets = openSharedBuckets(given, loggerOf('up'));
  parts.add('shared limits', async () => sharedBuckets?.close());

  await controlPlanePort.release();
  const controlPlane = await stopwatch.time('controlPlane', () =>
    startControlPlane({ environment, channel, callEvents, migrate: true, logger: loggerOf('control-plane') }),
  );
  parts.add('control plane', () => controlPlane.close());
  signal.throwIfAborted();

  await dataPlanePort.release();
  const dataPlane = await stopwatch.time('dataPlane', () =>
    startDataPlane({ environment: { ...environment, GATEHOUSE_INTERNAL_URL: controlPlane.internalUrl }, channel, callEvents, ...(sharedBuckets && { sharedBuckets }), logger: loggerOf('data-plane') }),
  );
  parts.add('data plane', () => dataPlane.close());
  await stopwatch.time('firstSnapshot', () => waitUntilReady(dataPlane.internalUrl));
  signal.throwIfAborted();

  return { controlPlaneUrl: controlPlane.url, dataPlaneUrl: dataPlane.url, dataPlaneInternalUrl: dataPlane.internalUrl };
}

/** Starts the embedded Postgres and gives its URL; where another one is given, starts nothing and gives an empty text. */
async function startDatabase({ directory, given, parts }: GatewayStart): Promise<string> {
  if (given['GATEHOUSE_DATABASE_URL'] || given['GATEHOUSE_DATABASE_URL_FILE']) return '';
  const starting = startEmbeddedPostgres(directory);
  // Added before it has started: what else goes wrong meanwhile must not leave it running.
  parts.add('database', async () => (await starting.catch(() => undefined))?.stop());
  return (await starting).url;
}
