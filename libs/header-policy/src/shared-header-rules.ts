import { hash } from 'node:crypto';
import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import { HeaderRules, type HeaderRulesOptions } from './header-rules.ts';

/** Different ones; beyond, the oldest is no longer shared with whoever comes. */
const maxShared = 1_000;
const shared = new BoundedCache<HeaderRules>(maxShared, new CacheBudget(maxShared));

/**
 * The header rules of these options: one object for all servers that have equal ones, as most have of thousands. What a name decides is
 * remembered once then, and not once for each server.
 */
export function sharedHeaderRules(options: HeaderRulesOptions): HeaderRules {
  const { baseHeaders, ...others } = options;
  // Patterns are their text. Hashed: a server may have hundreds of rows.
  const key = hash('sha256', JSON.stringify({ ...others, baseHeaders: [...baseHeaders] }), 'base64url');
  const known = shared.get(key);
  if (known !== undefined) return known;
  const rules = new HeaderRules(options);
  shared.set(key, rules);
  return rules;
}
