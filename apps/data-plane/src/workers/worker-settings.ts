import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '@gatehouse/service-runtime';
import type { DataPlaneSettings } from '../data-plane.ts';
import { dataPlaneSettings } from '../environment.ts';

/** The variable by which a worker knows which one it is; the primary process sets it. */
export const workerVariable = 'GATEHOUSE_WORKER';

/** What differs between the workers of one data plane: a name in the console, and a folder on disk. The same each time a worker is started. */
export function settingsOfWorker({ DATA_PLANE_ID: id, SNAPSHOT_DIR: directory }: DataPlaneSettings, worker: number): Record<string, string> {
  return {
    [workerVariable]: String(worker),
    GATEHOUSE_DATA_PLANE_ID: `${id ?? `${hostname()}-${process.pid}`}-${worker}`,
    GATEHOUSE_SNAPSHOT_DIR: join(directory, `worker-${worker}`),
  };
}

/** The port where other data planes find the sessions of this worker; 0 = a free one. */
export const peerPortOf = ({ WORKER_PEER_PORT: first }: DataPlaneSettings, worker: number): number => (first === 0 ? 0 : first + worker - 1);

/**
 * How many processes a data plane is to be.
 * @throws InvalidSettingsError
 */
export function workerCount(environment: Readonly<Record<string, string | undefined>>): number {
  const { WORKERS: count } = readSettings({ WORKERS: dataPlaneSettings.WORKERS }, environment);
  return count === 0 ? availableParallelism() : count;
}
