import type { Command } from 'commander';
import type { ExplainOptions } from '../explain/explain.ts';
import type { Finish } from './finish.ts';
import { gatewayCommand, gatewayEnvironmentHelp } from './gateway-options.ts';
import { collected } from './option-values.ts';

export const explainCommand = (finish: Finish): Command =>
  gatewayCommand('explain')
    .description('Say which headers of a request would reach the upstream of a server, and why; nothing is sent.')
    .argument('<server>', 'name of the server')
    .option('-w, --workspace <name>', 'workspace of the server', 'default')
    .option('-H, --header <header>', 'a header of the request, as "Name: value"; may be repeated', collected)
    .option('-X, --request <method>', 'its method (default: POST)')
    .option('--curl <command>', 'the request as a curl command, or - for standard input; nothing of it is run')
    .option('--har <file>', 'the request as a HAR file or one entry of it, or - for standard input')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', help)
    .action((server: string, options: ExplainOptions) => finish(import('../explain/explain.ts').then(({ explain }) => explain(server, options))));

const help = `
Why did my header not arrive, what does the upstream see, is my token leaking? Secrets are masked.

Examples:
  gatehouse explain demo -H 'X-Tenant: acme' -H 'Authorization: Bearer abc'
  gatehouse explain orders --curl "curl https://… -H 'X-Tenant: acme' --json '{…}'"
  gatehouse explain orders --har browser.har --json
${gatewayEnvironmentHelp}`;
