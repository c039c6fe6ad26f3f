/** What could be one; most texts have nothing that looks like it. */
const suspect = /\d{16}|\d[eE]/;

/**
 * The name of the member of a JSON text whose number is another one once it is read: a whole one beyond what a double keeps, or one
 * beyond all. Ids are such numbers, and another one is somebody else's.
 * @returns `undefined` where there is none; the empty string for one that has no name
 */
export function inexactNumber(text: string): string | undefined {
  if (!suspect.test(text)) return undefined;
  let found: string | undefined;
  JSON.parse(text, (key, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || found !== undefined) return value;
    const isWhole = /^-?\d+$/.test(context?.source ?? '');
    if (!Number.isFinite(value) || (isWhole && !Number.isSafeInteger(value))) found = key;
    return value;
  });
  return found;
}
