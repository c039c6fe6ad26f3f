import type { Verdict } from '@gatehouse/header-policy';
import { explainVerdict } from './explain-verdict.ts';
import type { Explanation } from './explanation.ts';
import { isSecretName } from './secret-values.ts';

type TokenFate = Explanation['tokens'][number];

/** Whether the caller's own tokens leave: of each header that holds one by its name. */
export function tokenFates(verdicts: readonly Verdict[], origin: string, isRefused: boolean): TokenFate[] {
  const byName = Map.groupBy(verdicts.filter(({ name }) => isSecretName(name)), ({ name }) => name.toLowerCase());
  return [...byName.values()].map((ofName) => fateOf(ofName as [Verdict, ...Verdict[]], origin, isRefused));
}

function fateOf(verdicts: readonly [Verdict, ...Verdict[]], origin: string, isRefused: boolean): TokenFate {
  const [first] = verdicts;
  const { name } = first;
  const leaving = verdicts.filter(({ action }) => action !== 'dropped');
  if (isRefused) return { name, code: 'token_stays', detail: `${name} stays at the gateway: the request is refused.` };
  if (leaving.length === 0) return { name, code: 'token_stays', detail: `${name} stays at the gateway. ${explainVerdict(first)}` };
  const names = new Set(leaving.map(({ outgoingName = name }) => outgoingName));
  return { name, code: 'token_leaves', detail: `${name} leaves the gateway for ${origin}, as ${[...names].join(', ')}.` };
}
