import { isUuid } from './uuid-v7.ts';

/**
 * Which column a reference in a URL names: names are slugs and cannot look like ids, ids are UUIDs. Undefined for a text that
 * can be neither, which not every text can even be asked of the database.
 */
export function referenceColumn(reference: string): 'id' | 'name' | undefined {
  if (isUuid(reference)) return 'id';
  return /^[a-z0-9-]{1,63}$/.test(reference) ? 'name' : undefined;
}
