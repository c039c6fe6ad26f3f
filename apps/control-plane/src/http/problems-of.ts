import { pointerOf, type Problem } from '@gatehouse/errors';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** Every issue as a problem that points at what to change in `document`. */
export function problemsOf(issues: readonly Issue[], document: unknown): Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, [], document));
}

function problemsOfIssue(issue: Issue, parents: readonly PropertyKey[], document: unknown): Problem[] {
  const path = [...parents, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerOf([...path, key]), detail: issue.message, code: issue.code }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) return problemsOfUnion(issue.errors, path, document);
  return [{ pointer: pointerOf(path), detail: issue.message, code: codeOf(issue, valueAt(document, path)) }];
}

/**
 * Of a union only one alternative was meant: the one whose issues lie deepest, or that at least had the right type. Where
 * none had, they are all said in one sentence.
 */
function problemsOfUnion(alternatives: readonly (readonly Issue[])[], path: readonly PropertyKey[], document: unknown): Problem[] {
  if (valueAt(document, path) === undefined) return [{ pointer: pointerOf(path), detail: 'is required', code: 'required' }];
  const meant = alternatives
    .filter((issues) => !issues.some(isOfWrongType))
    .toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
  if (meant) return meant.flatMap((issue) => problemsOfIssue(issue, path, document));
  const wording = new Set(alternatives.flat().filter((issue) => issue.path.length === 0).map((issue) => issue.message.replace(/^must be /, '')));
  return [{ pointer: pointerOf(path), detail: `must be ${[...wording].join(' or ')}`, code: 'invalid_type' }];
}

const isOfWrongType = (issue: Issue): boolean => issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
const depth = (issues: readonly Issue[]): number => Math.max(...issues.map((issue) => issue.path.length));

function codeOf(issue: Issue, value: unknown): string {
  if (value === undefined) return 'required';
  return issue.code === 'custom' || issue.code === 'invalid_format' ? 'invalid_value' : issue.code;
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], document);
}
