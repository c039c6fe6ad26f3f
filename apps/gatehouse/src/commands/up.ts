import { Command } from 'commander';
import { defaultDataDirectory } from '../gateway/instance-file.ts';
import type { UpOptions } from '../up/up.ts';
import type { Finish } from './finish.ts';
import { portNumber } from './option-values.ts';

export const upCommand = (finish: Finish): Command =>
  new Command('up')
    .description('Run everything on this machine: database, control plane and data plane, on the loopback address.')
    .option('--demo', 'also run a sample server and register it as "demo"')
    .option('--data-dir <directory>', 'where database, keys and log are kept', defaultDataDirectory)
    .option('--control-plane-port <port>', 'port of the REST API, 0 for a free one', portNumber, 3000)
    .option('--data-plane-port <port>', 'port for agents and MCP clients, 0 for a free one', portNumber, 3001)
    .option('--json', 'say that it is ready by one line of JSON')
    .addHelpText('after', help)
    .action((options: UpOptions) => finish(import('../up/up.ts').then(({ up }) => up(options))));

const help = `
The first start creates the database and the keys. GATEHOUSE_DATABASE_URL uses a Postgres of your own
instead of the embedded one, GATEHOUSE_REDIS_URL a Redis instead of the channel in the process.

Examples:
  gatehouse up --demo
  gatehouse up --data-dir /srv/gatehouse --control-plane-port 0 --data-plane-port 0 --json`;
