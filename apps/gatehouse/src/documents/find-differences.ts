import { pointerOf } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';

/** One place where a document and what the gateway has are not the same. */
export type Difference =
  | { readonly pointer: string; readonly change: 'added' | 'removed' | 'changed'; readonly from?: unknown; readonly to?: unknown }
  /** `again`: one is set already; whether it is the same is not known, since it cannot be read. */
  | { readonly pointer: string; readonly change: 'secret'; readonly effect: 'set' | 'again' | 'cleared' };

/** Whether it is certain that applying changes something. */
export const isCertain = (difference: Difference): boolean => difference.change !== 'secret' || difference.effect !== 'again';

type Json = Readonly<Record<string, unknown>>;

/** Compares what is read from the gateway with what a document means (secrets as `Secret`, a cleared one as a symbol). */
export function findDifferences(current: unknown, desired: unknown, path: readonly PropertyKey[] = []): readonly Difference[] {
  const pointer = pointerOf(path);
  if (desired instanceof Secret) return [{ pointer, change: 'secret', effect: isSetSecret(current) ? 'again' : 'set' }];
  if (typeof desired === 'symbol') return isSetSecret(current) ? [{ pointer, change: 'secret', effect: 'cleared' }] : [];
  // A secret that a document does not mention stays.
  if (desired === undefined) return current === undefined || isSecretState(current) ? [] : [{ pointer, change: 'removed', from: current }];
  if (current === undefined) return [{ pointer, change: 'added', to: desired }];
  if (Array.isArray(current) && Array.isArray(desired)) {
    return range(Math.max(current.length, desired.length)).flatMap((index) => findDifferences(current[index], desired[index], [...path, index]));
  }
  if (isJson(current) && isJson(desired)) {
    const keys = new Set([...Object.keys(current), ...Object.keys(desired)]);
    return [...keys].flatMap((key) => findDifferences(current[key], desired[key], [...path, key]));
  }
  return Object.is(current, desired) ? [] : [{ pointer, change: 'changed', from: current, to: desired }];
}

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret);

/** How a secret is read: `{set, updatedAt?}`. */
export const isSecretState = (value: unknown): value is { set: boolean } =>
  isJson(value) && typeof value['set'] === 'boolean' && Object.keys(value).every((key) => key === 'set' || key === 'updatedAt');

const isSetSecret = (value: unknown): boolean => isSecretState(value) && value.set;
