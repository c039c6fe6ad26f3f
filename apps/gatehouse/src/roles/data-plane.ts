import { dataPlaneSettings, startDataPlane } from '@gatehouse/data-plane';
import type { Command } from 'commander';
import { gatehouseSettings } from '../environment.ts';
import { roleHelp, type RoleOptions, runRole } from './run-role.ts';

/** `gatehouse data-plane` */
export const run = (options: RoleOptions): Promise<number> =>
  runRole(
    options,
    () => startDataPlane({ environment: gatehouseSettings() }),
    ({ url, internalUrl }) => ({ dataPlaneUrl: url, internalUrl }),
  );

export const help = (command: Command): number => roleHelp(command, dataPlaneSettings);
