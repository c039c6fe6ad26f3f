// The tests' own support: it is not a library, so it has no public entry to import it by.
export { type RunningRedis, startRedis } from '../../test/support/redis.ts';
export { endWithThisProcess, runCommand } from '../../test/support/run-command.ts';
