import { Secret } from '@gatehouse/sealing';
import { clearedSecret } from './secret-field.ts';

/*
 * A secret's location names the variant it belongs to, not only its path: `/appAuth[api-key]/value` and
 * `/appAuth[custom-headers]/headers[x-tenant]/value`. So a stored secret follows a reordered list, and a change of
 * authentication type never hands one type's secret to another that has a field of the same name.
 */
type Json = Record<string, unknown>;
type Taken = Secret | typeof clearedSecret;

/** Takes every secret out of a written document. */
export function takeSecrets(document: Json): { document: Json; secrets: Map<string, Taken> } {
  const secrets = new Map<string, Taken>();
  return { document: withoutSecrets(document, '', secrets) as Json, secrets };
}

/** Puts a value at each location that still exists in `document` and holds nothing; gives the locations that did. */
export function putAtLocations(document: Json, values: ReadonlyMap<string, unknown>): Set<string> {
  const containers = new Map<string, Json>();
  collectContainers(document, '', containers);
  const placed = new Set<string>();
  for (const [location, value] of values) {
    const cut = location.lastIndexOf('/');
    const container = containers.get(location.slice(0, cut));
    const field = location.slice(cut + 1);
    if (!container || container[field] !== undefined) continue;
    container[field] = value;
    placed.add(location);
  }
  return placed;
}

function withoutSecrets(value: unknown, location: string, secrets: Map<string, Taken>): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withoutSecrets(item, itemLocation(location, item, index), secrets));
  if (!isJson(value)) return value;
  const kept: Json = {};
  for (const [key, child] of Object.entries(value)) {
    const at = childLocation(location, key, child);
    if (child instanceof Secret || child === clearedSecret) secrets.set(at, child);
    else if (child !== undefined) kept[key] = withoutSecrets(child, at, secrets);
  }
  return kept;
}

function collectContainers(value: unknown, location: string, containers: Map<string, Json>): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => collectContainers(item, itemLocation(location, item, index), containers));
  } else if (isJson(value)) {
    containers.set(location, value);
    for (const [key, child] of Object.entries(value)) collectContainers(child, childLocation(location, key, child), containers);
  }
}

function childLocation(location: string, key: string, child: unknown): string {
  const variant = isJson(child) && typeof child['type'] === 'string' ? `[${escapeLocation(child['type'])}]` : '';
  return `${location}/${escapeLocation(key)}${variant}`;
}

function itemLocation(location: string, item: unknown, index: number): string {
  const name = isJson(item) && typeof item['name'] === 'string' ? item['name'].toLowerCase() : String(index);
  return `${location}[${escapeLocation(name)}]`;
}

/** A name within a location. */
export const escapeLocation = (segment: string): string => segment.replaceAll('~', '~0').replaceAll('/', '~1');

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret);
}
