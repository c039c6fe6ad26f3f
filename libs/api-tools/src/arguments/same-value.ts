import { isObject } from '../json-value.ts';

/** Whether two values are the same JSON, in whatever order their members are. It ends with the smaller of the two. */
export function isSameValue(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) return Array.isArray(other) && one.length === other.length && one.every((entry, index) => isSameValue(entry, other[index]));
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => Object.hasOwn(other, name) && isSameValue(one[name], other[name]));
}

/** Compared as text, all at once: each with each would take the square of the list. */
export const areUnique = (list: readonly unknown[]): boolean => new Set(list.map(canonical)).size === list.length;

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => (isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member));
