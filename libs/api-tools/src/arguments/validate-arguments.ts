import { type Problem, pointerOf } from '@gatehouse/errors';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { ApiOperation } from '../api-operation.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import { annotationKeywords, schemaKeywords, schemaListKeywords, schemaMapKeywords } from '../schema/keywords.ts';
import { linearPattern } from './linear-pattern.ts';
import { describeError } from './describe-error.ts';
import { unfitArguments } from './unfit-arguments.ts';

/** What is wrong with arguments, readable for whoever calls the tool; empty when nothing is. */
export type ValidateArguments = (args: JsonObject) => readonly Problem[];

/** Schemas visited for one call. References make it exponential in the arguments’ depth for schemas that are made for that. */
const maxSteps = 200_000;
const stepKeyword = 'gatehouseStep';
const maxProblems = 20;

/**
 * A validator of a tool’s arguments. It ends soon whatever schema and arguments are: patterns are matched in linear time, steps are
 * counted, and what cannot be decided within them passes, since the API checks again. Compiled on first use: for one call that is
 * dearer than the call.
 */
export function validateArguments({ inputSchema }: Pick<ApiOperation, 'inputSchema'>): ValidateArguments {
  let check: ValidateFunction | undefined;
  let steps = 0;
  const step = (): boolean => {
    steps += 1;
    if (steps > maxSteps) throw new TooManySteps();
    return true;
  };
  return (args) => {
    const unfit = unfitArguments(args);
    if (unfit !== undefined) return [unfit];
    steps = 0;
    try {
      check ??= compile(inputSchema, step);
      return check(args) ? [] : problemsOf(check.errors ?? []);
    } catch (error) {
      // A circle of references alone overflows the stack before it runs out of steps.
      if (error instanceof TooManySteps || error instanceof RangeError) return [];
      throw error;
    }
  };
}

class TooManySteps extends Error {}

function compile(schema: JsonObject, step: () => boolean): ValidateFunction {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    validateSchema: false,
    validateFormats: false,
    addUsedSchema: false,
    inlineRefs: false,
    ownProperties: true,
    logger: false,
    code: { regExp: linearPattern },
  });
  ajv.addKeyword({ keyword: stepKeyword, validate: step, errors: false });
  // Ajv’s own compares each with each.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', validate: areUnique, errors: false });
  return ajv.compile(counted(schema) as JsonObject);
}

function areUnique(wanted: boolean, list: readonly unknown[]): boolean {
  return !wanted || new Set(list.map(canonical)).size === list.length;
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => (isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member));

/** With a step in each schema that constrains anything, and without what a validator has no use for. */
function counted(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const entries = Object.entries(schema).flatMap(([key, value]): [string, unknown][] => {
    if (annotationKeywords.has(key)) return [];
    if (schemaKeywords.has(key)) return [[key, counted(value)]];
    if (schemaListKeywords.has(key) && Array.isArray(value)) return [[key, value.map(counted)]];
    if ((schemaMapKeywords.has(key) || key === '$defs') && isObject(value)) return [[key, Object.fromEntries(Object.entries(value).map(([name, member]) => [name, counted(member)]))]];
    return [[key, value]];
  });
  return entries.length === 0 ? {} : Object.fromEntries([[stepKeyword, true], ...entries]);
}

function problemsOf(errors: readonly ErrorObject[]): readonly Problem[] {
  const byText = new Map<string, Problem>();
  for (const error of errors) {
    const { path, detail } = describeError(error);
    const pointer = `${error.instancePath}${pointerOf(path)}`;
    byText.set(`${pointer} ${detail}`, { pointer, detail });
    if (byText.size === maxProblems) break;
  }
  return [...byText.values()];
}
