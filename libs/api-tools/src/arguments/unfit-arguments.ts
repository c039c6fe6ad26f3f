import { type Problem, pointerOf } from '@gatehouse/errors';
import type { JsonObject } from '../json-value.ts';

const maxDepth = 100;

/**
 * What is wrong with arguments whatever the tool: nested so deep that whatever walks them would not come back, or half a surrogate
 * pair, which has no bytes and would arrive as something else.
 */
export function unfitArguments(args: JsonObject): Problem | undefined {
  return unfitBelow(args, []);
}

function unfitBelow(value: unknown, path: readonly string[]): Problem | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : { pointer: pointerOf(path), detail: 'must be well-formed Unicode' };
  if (typeof value !== 'object' || value === null) return undefined;
  if (path.length > maxDepth) return { pointer: pointerOf(path.slice(0, 10)), detail: `must be nested at most ${maxDepth} deep` };
  for (const [key, member] of Object.entries(value)) {
    if (!key.isWellFormed()) return { pointer: pointerOf(path), detail: 'must have names of well-formed Unicode' };
    // Most values are leaves: no path is made for those that are fit.
    if (typeof member === 'string' ? !member.isWellFormed() : typeof member === 'object' && member !== null) {
      const problem = unfitBelow(member, [...path, key]);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}
