import type { Verdict } from '@gatehouse/header-policy';
import type { Explanation } from './explanation.ts';
import { isSecretName } from './secret-values.ts';

type TokenFate = Explanation['tokens'][number];

/**
 * Whether the caller's own tokens leave: of each given header that holds one by its name.
 * @param rows the caller's headers, flat
 * @param verdicts undefined where the request is refused
 */
export function tokenFates(rows: readonly string[], verdicts: readonly Verdict[] | undefined, origin: string): TokenFate[] {
  const names = rows.filter((name, index) => index % 2 === 0 && isSecretName(name));
  const spellings = new Map(names.toReversed().map((name) => [name.toLowerCase(), name]));
  return [...spellings.values()].reverse().map((name) => {
    const ofName = verdicts?.filter((verdict) => verdict.name.toLowerCase() === name.toLowerCase());
    const outgoing = new Set(ofName?.filter(({ action }) => action !== 'dropped').map(({ outgoingName = name }) => outgoingName));
    if (outgoing.size > 0) return { name, code: 'token_leaves', detail: `${name} leaves the gateway for ${origin}, as ${[...outgoing].join(', ')}.` };
    return { name, code: 'token_stays', detail: `${name} stays at the gateway${ofName === undefined ? ': the request is refused' : ` (${ofName[0]?.reason ?? 'dropped'})`}.` };
  });
}
