import { dataPlaneSettings, isWorker, startDataPlane, startWorker, startWorkers, workerCount } from '@gatehouse/data-plane';
import type { Command } from 'commander';
import { gatehouseSettings } from '../environment.ts';
import { roleHelp, type RoleOptions, runRole } from './run-role.ts';

export interface DataPlaneRoleOptions extends RoleOptions {
  readonly workers?: string;
}

/** `gatehouse data-plane`: one process, the primary of several, or one of those. */
export function run(options: DataPlaneRoleOptions): Promise<number> {
  const environment = { ...gatehouseSettings(), ...(options.workers !== undefined && { GATEHOUSE_WORKERS: options.workers }) };
  // What it is told was said by its primary process, which says itself that all of them are ready.
  if (isWorker(environment)) return runRole({}, () => startWorker(environment), () => ({}));
  const count = workerCount(environment);
  return runRole(
    options,
    () => (count > 1 ? startWorkers(environment, count) : startDataPlane({ environment })),
    ({ url, internalUrl }) => ({ dataPlaneUrl: url, internalUrl }),
  );
}

export const help = (command: Command): number => roleHelp(command, dataPlaneSettings);
