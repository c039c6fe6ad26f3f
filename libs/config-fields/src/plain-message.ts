import type { z } from 'zod';

type Issue = z.core.$ZodRawIssue;

const typeNames: Record<string, string> = {
  string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false', object: 'an object', array: 'a list', null: 'null', record: 'an object',
};

/** What a person reads of a problem that the schema has no words of its own for. Never quotes the value. */
export function plainMessage(issue: Issue): string {
  if (issue.code === 'invalid_type') return issue.input === undefined ? 'is required' : `must be ${typeNames[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value') return issue.input === undefined ? 'is required' : `must be ${oneOf(issue.values)}`;
  if (issue.code === 'invalid_union') return unionMessage(issue);
  if (issue.code === 'too_small') return `must ${sizeVerb(issue.origin)} ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unit(issue.origin)}`;
  if (issue.code === 'too_big') return `must ${sizeVerb(issue.origin)} ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unit(issue.origin)}`;
  if (issue.code === 'unrecognized_keys') return 'is not a known field';
  return 'is not valid';
}

function unionMessage(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  if (issue.input === undefined) return 'is required';
  if (!issue.discriminator) return 'is not valid';
  const tag = (issue.input as Record<string, unknown> | undefined)?.[issue.discriminator];
  return tag === undefined ? 'is required' : `must be ${oneOf('options' in issue && Array.isArray(issue.options) ? issue.options : [])}`;
}

function oneOf(values: readonly unknown[]): string {
  const names = values.map((value) => JSON.stringify(value));
  return names.length <= 1 ? (names[0] ?? 'something else') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

const sizeVerb = (origin: string): string => (origin === 'number' || origin === 'int' ? 'be' : 'have');
const unit = (origin: string): string => (origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '');
