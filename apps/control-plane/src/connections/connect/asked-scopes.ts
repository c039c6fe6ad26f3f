import { scopesWithin } from '../scopes-within.ts';

/** Authorization requests are URLs, and not every provider takes long ones. */
const maxOtherLength = 4_000;

export interface ScopeSources {
  /** Of the app, or what an upstream publishes: asked for whoever connects. */
  readonly always: readonly string[];
  /** Of the document of the server that asked. */
  readonly needed: readonly string[];
  /** What an upstream wants more. */
  readonly wanted: readonly string[];
  /** What the connection that is replaced has. */
  readonly held: readonly string[];
}

/** What to ask a provider for: all that administrators named, and of what upstreams named as much as has room, the newest first. */
export function askedScopes({ always, needed, wanted, held }: ScopeSources): string[] {
  const named = new Set([...always, ...needed]);
  return [...named, ...scopesWithin([...wanted, ...held].filter((scope) => !named.has(scope)), maxOtherLength)];
}
