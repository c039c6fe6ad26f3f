import { builtInRule } from './built-in-rules.ts';
import { canonicalName } from './canonical-name.ts';
import type { HeaderRules } from './header-rules.ts';
import { trimValue, unfitValue } from './header-value.ts';

/** Credentials of the caller's have rules of their own (D2, D3, docs/rules.md), under which alone they leave. */
const credentials: ReadonlySet<string> = new Set(['authorization', 'x-upstream-authorization']);

/** Whether no policy lets the value of a caller's header of this name leave in another one. */
export const neverLeaves = (name: string): boolean => credentials.has(canonicalName(name)) || builtInRule(canonicalName(name)) !== undefined;

/**
 * The value of a caller's header, where a server's configuration puts it into a header of the gateway's: several rows as one list
 * (RFC 9110 section 5.3). Nothing of what is blocked, restricted, nominated by `Connection` or unfit, nor when pass-through is
 * switched off: a name of the configuration's own choice changes none of that.
 * @param rows the caller's headers as they came, flat
 * @param nominated canonical names that the caller's `Connection` lists
 */
export function leavingValue(rules: HeaderRules, rows: readonly string[], nominated: ReadonlySet<string> | undefined, name: string): string | undefined {
  const canonical = canonicalName(name);
  if (rules.isSwitchedOff || neverLeaves(name) || rules.isRestricted(canonical) || nominated?.has(canonical) === true) return undefined;
  const lowerCase = name.toLowerCase();
  let value: string | undefined;
  for (let index = 0; index + 1 < rows.length; index += 2) {
    const row = rows[index] as string;
    if (row.length !== name.length || row.toLowerCase() !== lowerCase) continue;
    const trimmed = trimValue(rows[index + 1] as string);
    value = value === undefined ? trimmed : `${value}, ${trimmed}`;
  }
  return value === undefined || unfitValue(value, rules.maxValueBytes) !== undefined ? undefined : value;
}
