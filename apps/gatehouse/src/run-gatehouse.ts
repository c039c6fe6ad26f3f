import { CommanderError } from 'commander';
import { exitCodes } from './command-failure.ts';
import { describeFailure, exitCodeOf } from './describe-failure.ts';
import { gatehouseProgram } from './gatehouse-program.ts';
import { output } from './output.ts';

/** Runs one command line to its end and gives the exit code. Expected errors are a sentence; only defects show a stack. */
export async function runGatehouse(args: readonly string[]): Promise<number> {
  try {
    return await gatehouseProgram(args);
  } catch (error) {
    // Commander has printed its own: help and version with 0, what is wrong with the command line otherwise.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    output.note(`gatehouse: ${describeFailure(error)}`);
    return exitCodeOf(error);
  }
}
