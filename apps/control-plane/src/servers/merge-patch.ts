type Json = Record<string, unknown>;

/**
 * RFC 7396, on a document as it is read, with two rules of our own. An object whose `type` changes is another variant: it is
 * replaced, so that no field of the old one is left in it. `null` where a secret is read means "clear the stored secret", and
 * has to reach the document as `null`.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJson(patch)) return patch;
  const base = isJson(target) && !changesType(target, patch) ? target : {};
  // A map and not assignments: "__proto__" is a key like any other.
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    const current = merged.get(key);
    if (value === null && !isSecretMark(current)) merged.delete(key);
    else merged.set(key, mergePatch(current, value));
  }
  return Object.fromEntries(merged);
}

function changesType(target: Json, patch: Json): boolean {
  return typeof target['type'] === 'string' && patch['type'] !== undefined && patch['type'] !== target['type'];
}

function isSecretMark(value: unknown): boolean {
  return isJson(value) && typeof value['set'] === 'boolean' && Object.keys(value).every((key) => key === 'set' || key === 'updatedAt');
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
