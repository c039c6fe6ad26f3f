import { Command } from 'commander';
import type { DataPlaneRoleOptions } from '../roles/data-plane.ts';
import type { Finish } from './finish.ts';

export const dataPlaneCommand = (finish: Finish): Command => {
  const command = new Command('data-plane')
    .description('Run one data plane, configured by the environment (GATEHOUSE_…).')
    .helpOption(false)
    .option('--workers <n>', 'processes that share the port: a number, or auto for one per core (GATEHOUSE_WORKERS)')
    .option('--json', 'say that it is ready by one line of JSON')
    .option('-h, --help', 'display help for command, with every setting');
  return command.action((options: DataPlaneRoleOptions) =>
    finish(import('../roles/data-plane.ts').then((role) => (options.help ? role.help(command) : role.run(options)))),
  );
};
