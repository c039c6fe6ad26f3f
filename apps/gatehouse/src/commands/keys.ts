import { Command, Option } from 'commander';
import type { ListKeysOptions } from '../keys/list-keys.ts';
import type { RotateKeysOptions } from '../keys/rotate-keys.ts';
import type { Finish } from './finish.ts';
import { gatewayCommand, gatewayEnvironmentHelp } from './gateway-options.ts';

export const keysCommand = (finish: Finish): Command =>
  new Command('keys')
    .description('List the data keys of the vault, or rotate them.')
    .addCommand(
      gatewayCommand('list')
        .description('Say which data keys there are, how old they are and how much they have sealed; never a key itself.')
        .option('-w, --workspace <name>', 'only those of this workspace')
        .option('--json', 'print the answer as JSON')
        .action((options: ListKeysOptions) => finish(import('../keys/list-keys.ts').then(({ listKeys }) => listKeys(options)))),
    )
    .addCommand(
      gatewayCommand('rotate')
        .description('Let new data keys take the place of the old ones, and seal everything anew, while the gateway goes on serving.')
        .addOption(new Option('-w, --workspace <name>', 'the key of this workspace').conflicts('all'))
        .option('--all', 'the keys of all workspaces, and the gateway’s own')
        .option('--wait', 'until the old keys are destroyed')
        .addHelpText('after', help)
        .action((options: RotateKeysOptions) => finish(import('../keys/rotate-keys.ts').then(({ rotateKeys }) => rotateKeys(options)))),
    );

const help = `
It goes on in the background, also when this command or a control plane is stopped.

Examples:
  gatehouse keys rotate --workspace default
  gatehouse keys rotate --all --wait
${gatewayEnvironmentHelp}`;
