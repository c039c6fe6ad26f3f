import { eachMember } from '@gatehouse/mcp-protocol';

/** What becomes of a member, as JSON text: given what it is now, `undefined` where it is absent; `undefined` removes it. */
export type Edit = (value: string | undefined) => string | undefined;

/**
 * Changes members of an object; those that are not named stay character by character.
 * @param text JSON of one object, with each of the members that are changed at most once
 */
export function editObject(text: string, edits: Readonly<Record<string, Edit>>): string {
  const kept: string[] = [];
  const left = new Map(Object.entries(edits));
  eachMember(text, text.indexOf('{'), (name, from, to, nameFrom) => {
    const edit = left.get(name);
    if (edit === undefined) return void kept.push(text.slice(nameFrom, to));
    left.delete(name);
    const value = edit(text.slice(from, to));
    if (value !== undefined) kept.push(text.slice(nameFrom, from) + value);
  });
  for (const [name, edit] of left) {
    const value = edit(undefined);
    if (value !== undefined) kept.push(`${JSON.stringify(name)}:${value}`);
  }
  return `{${kept.join(',')}}`;
}

/** An edit of the members of a member; of one that is absent or no object, as if it were an empty one. */
export const within =
  (edits: Readonly<Record<string, Edit>>): Edit =>
  (value) =>
    editObject(value?.startsWith('{') === true ? value : '{}', edits);

/** An edit that says what a member is, whatever it was. */
export const to =
  (value: unknown): Edit =>
  () =>
    value === undefined ? undefined : JSON.stringify(value);
