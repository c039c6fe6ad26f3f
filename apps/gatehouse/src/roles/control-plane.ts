import { controlPlaneSettings, startControlPlane } from '@gatehouse/control-plane';
import type { Command } from 'commander';
import { gatehouseSettings } from '../environment.ts';
import { roleHelp, type RoleOptions, runRole } from './run-role.ts';

/** `gatehouse control-plane` */
export const run = (options: RoleOptions): Promise<number> =>
  runRole(
    options,
    () => startControlPlane({ environment: gatehouseSettings() }),
    ({ url, internalUrl }) => ({ controlPlaneUrl: url, internalUrl }),
  );

export const help = (command: Command): number => roleHelp(command, controlPlaneSettings);
