import { pointerOf, type Problem } from '@gatehouse/errors';

/** Texts that JSON can carry and Postgres cannot keep: NUL, and halves of surrogate pairs. */
export function unstorableText(document: unknown, path: readonly PropertyKey[] = []): Problem[] {
  if (typeof document === 'string') {
    if (!document.includes('\0') && document.isWellFormed()) return [];
    return [{ pointer: pointerOf(path), detail: 'must be well-formed text without NUL characters', code: 'invalid_value' }];
  }
  if (typeof document !== 'object' || document === null) return [];
  return Object.entries(document).flatMap(([key, value]) => unstorableText(value, [...path, key]));
}
