import { Argument, type Command } from 'commander';
import { type ClientName, clientNames } from '../clients/client-names.ts';
import type { ConnectOptions } from '../clients/connect.ts';
import type { Finish } from './finish.ts';
import { gatewayCommand } from './gateway-options.ts';

export const connectCommand = (finish: Finish): Command =>
  gatewayCommand('connect')
    .description('Print, or write, what an MCP client needs to use the gateway.')
    .addArgument(new Argument('<client>', 'the client').choices(clientNames))
    .argument('[server]', 'name of the server; without it all of the workspace')
    .option('--workspace <name>', 'workspace of the server', 'default')
    .option('--write', 'merge it into the client’s file; the file as it was is kept beside it')
    .addHelpText('after', help)
    .action((client: ClientName, server: string | undefined, options: ConnectOptions) =>
      finish(import('../clients/connect.ts').then(({ connect }) => connect(client, server, options))),
    );

const help = `
claude is Claude Code (.mcp.json here), cursor .cursor/mcp.json, vscode .vscode/mcp.json here,
claude-desktop the file of the desktop application, inspector the command to type.

Examples:
  gatehouse connect claude demo
  gatehouse connect cursor --write`;
