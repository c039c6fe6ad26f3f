import type { Problem } from '@gatehouse/errors';
import type { ApiOperation } from '../api-operation.ts';
import type { JsonObject } from '../json-value.ts';
import { SchemaCheck, TooManySteps } from './schema-check.ts';
import { SchemaPatterns } from './schema-patterns.ts';
import { unfitArguments } from './unfit-arguments.ts';

/** What is wrong with arguments, readable for whoever calls the tool; empty when nothing is. */
export type ValidateArguments = (args: JsonObject) => readonly Problem[];

/**
 * A validator of a tool’s arguments. It ends soon whatever schema and arguments are: patterns are matched in linear time, steps are
 * counted, and what cannot be decided within them passes, since the API checks again. Nothing is compiled but patterns: compiled as
 * other validators do it, one large schema would hold up every other call for as long as thousands of its checks take.
 */
export function validateArguments({ inputSchema }: Pick<ApiOperation, 'inputSchema'>): ValidateArguments {
  const patterns = new SchemaPatterns();
  return (args) => {
    const unfit = unfitArguments(args);
    if (unfit !== undefined) return [unfit];
    try {
      return new SchemaCheck(inputSchema, patterns).problemsOf(args);
    } catch (error) {
      // A circle of references alone overflows the stack before it runs out of steps.
      if (error instanceof TooManySteps || error instanceof RangeError) return [];
      throw error;
    }
  };
}
