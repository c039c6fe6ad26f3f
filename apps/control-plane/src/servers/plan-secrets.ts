import { clearedSecret, putAtLocations } from '@gatehouse/config-fields';
import { Secret } from '@gatehouse/sealing';
import type { StoredDocument } from './servers.store.ts';

/** What a write does to the stored secrets, by location. */
export interface SecretPlan {
  readonly set: ReadonlyMap<string, Secret>;
  readonly kept: ReadonlySet<string>;
  readonly removed: readonly string[];
}

/**
 * Product.md D9: text sets, `null` clears, absence keeps, as long as the place is still there. A place that is gone (another
 * authentication type, a header left out) takes its secret with it.
 */
export function planSecrets(document: StoredDocument, written: ReadonlyMap<string, Secret | typeof clearedSecret>, stored: readonly string[]): SecretPlan {
  const set = new Map([...written].filter((entry): entry is [string, Secret] => entry[1] instanceof Secret));
  const unmentioned = stored.filter((location) => !written.has(location));
  const kept = putAtLocations(mutable(document), new Map(unmentioned.map((location) => [location, true])));
  const removed = stored.filter((location) => !kept.has(location) && !set.has(location));
  return { set, kept, removed };
}

const placeholder = new Secret('kept');

/** The document as it will be, with what is kept standing in for itself: what is required can be checked without opening it. */
export function withPlannedSecrets(document: StoredDocument, plan: SecretPlan): Record<string, unknown> {
  return withValues(document, [...plan.set, ...[...plan.kept].map((location) => [location, placeholder] as const)]);
}

/** A stored document with something in the place of each of its secrets. */
export const withKeptSecrets = (document: StoredDocument, locations: readonly string[]): Record<string, unknown> =>
  withValues(document, locations.map((location) => [location, placeholder] as const));

/** A copy of the document with values at locations. */
export function withValues(document: StoredDocument, values: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const copy = mutable(document);
  putAtLocations(copy, new Map(values));
  return copy;
}

const mutable = (document: StoredDocument): Record<string, unknown> => structuredClone(document);
