import { changedPointers } from '../audit/changed-pointers.ts';
import { type SecretPlan, withValues } from './plan-secrets.ts';
import type { StoredDocument } from './servers.store.ts';

/** Pointers to what a write changes, secrets included: a secret that was set counts as changed, whatever it is. */
export function changedFields(before: StoredDocument | undefined, after: StoredDocument, plan: SecretPlan): string[] {
  const marks = (mark: string, locations: Iterable<string>) => [...locations].map((location) => [location, mark] as const);
  const kept = marks('kept', plan.kept);
  const markedBefore = before && withValues(before, [...kept, ...marks('former', plan.removed)]);
  const markedAfter = withValues(after, [...kept, ...marks('new', plan.set.keys())]);
  return changedPointers(markedBefore ?? {}, markedAfter);
}
