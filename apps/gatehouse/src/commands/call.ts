import type { Command } from 'commander';
import type { CallOptions } from '../calls/call.ts';
import type { Finish } from './finish.ts';
import { gatewayCommand } from './gateway-options.ts';
import { collected } from './option-values.ts';

export const callCommand = (finish: Finish): Command =>
  gatewayCommand('call')
    .description('Call a tool through the gateway, or list the tools of a server.')
    .argument('<server>', 'name of the server')
    .argument('[tool]', 'name of the tool; without it the tools are listed')
    .argument('[arguments...]', 'name=value by the tool’s schema, name:=json as it is')
    .option('--workspace <name>', 'workspace of the server', 'default')
    .option('--key <key>', 'key of a service account (or GATEHOUSE_KEY in the environment)')
    .option('-H, --header <header>', 'send a header of your own, as "Name: value"; may be repeated', collected)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action((server: string, tool: string | undefined, values: string[], options: CallOptions) =>
      finish(import('../calls/call.ts').then(({ call }) => call({ server, tool, values }, options))),
    );

const help = `
Examples:
  gatehouse call demo                        which tools are there?
  gatehouse call demo add a=2 b=40
  gatehouse call orders search 'filter:={"open":true}' --json

Another gateway than the one of "gatehouse up": GATEHOUSE_DATA_PLANE_URL in the environment.`;
