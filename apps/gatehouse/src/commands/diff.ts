import type { Command } from 'commander';
import type { DiffOptions } from '../documents/diff-documents.ts';
import type { Finish } from './finish.ts';
import { gatewayCommand, gatewayEnvironmentHelp } from './gateway-options.ts';
import { collected } from './option-values.ts';

export const diffCommand = (finish: Finish): Command =>
  gatewayCommand('diff')
    .description('Show what "apply" would change, field by field.')
    .requiredOption('-f, --file <file>', 'a file, a directory of .yaml files, or - for standard input; may be repeated', collected)
    .addHelpText('after', help)
    .action((options: DiffOptions) =>
      finish(import('../documents/diff-documents.ts').then(({ diffDocuments }) => diffDocuments(options))),
    );

const help = `
Stored secrets cannot be read, so they are not compared: one that is set already is no difference.
Exit codes: 0 no difference, 1 differences, 2 error.

Example:
  gatehouse diff -f servers/
${gatewayEnvironmentHelp}`;
