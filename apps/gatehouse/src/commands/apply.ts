import type { Command } from 'commander';
import type { ApplyOptions } from '../documents/apply-documents.ts';
import type { Finish } from './finish.ts';
import { gatewayCommand, gatewayEnvironmentHelp } from './gateway-options.ts';
import { collected } from './option-values.ts';

export const applyCommand = (finish: Finish): Command =>
  gatewayCommand('apply')
    .description('Create or replace what YAML documents describe.')
    .requiredOption('-f, --file <file>', 'a file, a directory of .yaml files, or - for standard input; may be repeated', collected)
    .option('--dry-run', 'say what would be done and do nothing')
    .addHelpText('after', help)
    .action((options: ApplyOptions) =>
      finish(import('../documents/apply-documents.ts').then(({ applyDocuments }) => applyDocuments(options))),
    );

const help = `
Every document is checked before the first change. {fromEnv: NAME} and {fromFile: PATH} stand for a text, so that
secrets need not be in the file. What a document leaves out is removed, except secrets: those stay as they are.

Examples:
  gatehouse apply -f orders.yaml
  ORDERS_KEY=… gatehouse apply -f servers/ --dry-run
${gatewayEnvironmentHelp}`;
