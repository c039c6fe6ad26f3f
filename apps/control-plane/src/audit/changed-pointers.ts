import { pointerOf } from '@gatehouse/errors';

/** JSON pointers to the smallest parts in which two documents differ. */
export function changedPointers(before: unknown, after: unknown, path: readonly string[] = []): string[] {
  if (Object.is(before, after)) return [];
  if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after)) return [pointerOf(path)];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].toSorted().flatMap((key) => changedPointers(before[key], after[key], [...path, key]));
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
