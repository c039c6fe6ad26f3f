import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type CatalogEntry, catalogEntry } from './catalog-entry.ts';

/** Beside this file's folder: in the checkout, and in the bundle, which has its code one folder down as well. */
const providers = new URL('../providers/', import.meta.url);

/** Every provider that is known, by id, in the order of their titles. One file each: a new file is a new provider. */
export function loadCatalog(): ReadonlyMap<string, CatalogEntry> {
  const entries = readdirSync(providers)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readEntry(file));
  return new Map(entries.toSorted((a, b) => a.title.localeCompare(b.title, 'en')).map((entry) => [entry.id, entry]));
}

function readEntry(file: string): CatalogEntry {
  const parsed = catalogEntry.safeParse(JSON.parse(readFileSync(new URL(file, providers), 'utf8')));
  if (!parsed.success) throw new TypeError(`providers/${file}: ${parsed.error.message}`);
  if (parsed.data.id !== basename(file, '.json')) throw new TypeError(`providers/${file} has another id: ${parsed.data.id}`);
  return parsed.data;
}
