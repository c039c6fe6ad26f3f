import { Command } from 'commander';
import type { RoleOptions } from '../roles/run-role.ts';
import type { Finish } from './finish.ts';

export const controlPlaneCommand = (finish: Finish): Command => {
  const command = new Command('control-plane')
    .description('Run one control plane, configured by the environment (GATEHOUSE_…).')
    .helpOption(false)
    .option('--json', 'say that it is ready by one line of JSON')
    .option('-h, --help', 'display help for command, with every setting');
  return command.action((options: RoleOptions) =>
    finish(import('../roles/control-plane.ts').then((role) => (options.help ? role.help(command) : role.run(options)))),
  );
};
