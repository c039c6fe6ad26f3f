import type { Command } from 'commander';
import type { ExportOptions } from '../documents/export-documents.ts';
import type { Finish } from './finish.ts';
import { gatewayCommand, gatewayEnvironmentHelp } from './gateway-options.ts';

export const exportCommand = (finish: Finish): Command =>
  gatewayCommand('export')
    .description('Print the configuration as YAML that "apply" takes.')
    .option('--workspace <name>', 'only this workspace')
    .addHelpText('after', help)
    .action((options: ExportOptions) =>
      finish(import('../documents/export-documents.ts').then(({ exportDocuments }) => exportDocuments(options))),
    );

const help = `
Secrets are never read back: {set: true} leaves the stored one as it is when it is applied again.

Example:
  gatehouse export > gateway.yaml
${gatewayEnvironmentHelp}`;
