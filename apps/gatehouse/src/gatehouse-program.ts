import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { applyCommand } from './commands/apply.ts';
import { callCommand } from './commands/call.ts';
import { connectCommand } from './commands/connect.ts';
import { controlPlaneCommand } from './commands/control-plane.ts';
import { dataPlaneCommand } from './commands/data-plane.ts';
import { diffCommand } from './commands/diff.ts';
import { explainCommand } from './commands/explain.ts';
import { exportCommand } from './commands/export.ts';
import type { Finish } from './commands/finish.ts';
import { importCommand } from './commands/import.ts';
import { keysCommand } from './commands/keys.ts';
import { migrateCommand } from './commands/migrate.ts';
import { upCommand } from './commands/up.ts';

/** In the order of `--help`. Each declares its options; what it does is imported when it is run. */
const commands = [
  upCommand,
  callCommand,
  explainCommand,
  connectCommand,
  importCommand,
  applyCommand,
  diffCommand,
  exportCommand,
  keysCommand,
  controlPlaneCommand,
  dataPlaneCommand,
  migrateCommand,
];

/**
 * Parses the arguments and runs the command they name; gives its exit code.
 * @throws CommanderError for help, version and a wrong command line; whatever the command throws.
 */
export async function gatehouseProgram(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const finish: Finish = async (result) => {
    exitCode = await result;
  };
  const program = new Command('gatehouse')
    .description('The authentication gateway between AI agents and their tools.')
    .version(manifest.version, '-V, --version', 'print the version')
    .addHelpText('after', examples);
  for (const command of commands) program.addCommand(command(finish));
  for (const command of [program, ...program.commands.flatMap((each) => [each, ...each.commands])]) {
    command.exitOverride().showHelpAfterError(`(${pathOf(command)} --help says more)`);
  }
  await program.parseAsync([...args], { from: 'user' });
  return exitCode;
}

/** As it is typed: `gatehouse keys rotate`. */
const pathOf = (command: Command): string => (command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`);

const examples = `
Examples:
  gatehouse up --demo                        start everything, with a sample server
  gatehouse call demo whoami                 call one of its tools through the gateway
  gatehouse explain demo -H 'X-Tenant: acme' what would reach its upstream, and why?
  gatehouse connect claude demo --write      let Claude Code use it
  gatehouse import openapi https://…          make tools of an HTTP API
  gatehouse apply -f servers.yaml            register servers of your own

Exit codes: 0 done, 1 failed, 2 wrong command line, 78 wrong setting.`;
