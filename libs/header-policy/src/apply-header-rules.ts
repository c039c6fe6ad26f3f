import { GatewayError } from '@gatehouse/errors';
import { canonicalName } from './canonical-name.ts';
import type { HeaderRules, Pass } from './header-rules.ts';
import { trimValue, unfitValue } from './header-value.ts';
import type { Verdict } from './verdict.ts';

export interface AppliedHeaders {
  /** Flat (name, value, …): the gateway's own, then the caller's that leave, in the order in which they came, `Authorization` last. */
  readonly headers: string[];
  /** One for each of the caller's headers, or for each name it would leave under. */
  readonly verdicts: Verdict[];
}

/** An `Authorization` that would leave; which one does is known when all have been seen. */
interface Authorization {
  readonly pass: Pass;
  readonly value: string;
  readonly verdictIndex: number;
}

/**
 * What of a caller's headers leaves for a server, and why (D6, docs/rules.md). Pure. Credentials are put in afterwards.
 * @param rows the caller's headers as they came, flat
 * @param nominated canonical names that the caller's `Connection` lists (RFC 9110 section 7.6.1)
 * @param base the headers that the gateway writes itself, flat, names in lower case
 * @throws GatewayError duplicate_header where two would leave under a name that may occur once
 */
export function applyHeaderRules(rules: HeaderRules, rows: readonly string[], nominated: ReadonlySet<string> | undefined, base: readonly string[]): AppliedHeaders {
  const headers = base.slice();
  const verdicts: Verdict[] = [];
  let authorizations: Authorization[] | undefined;
  let singletons: string[] | undefined;
  let replaced: string[] | undefined;
  for (let index = 0; index + 1 < rows.length; index += 2) {
    const name = rows[index] as string;
    const decision = rules.decide(name);
    if (nominated !== undefined && !decision.isConnectionHeader && nominated.has(canonicalName(name))) {
      verdicts.push({ name, action: 'dropped', reason: 'connection_nominated', rule: 'Connection', from: 'built-in' });
      continue;
    }
    if (decision.dropped !== undefined) {
      verdicts.push(decision.dropped);
      continue;
    }
    const value = trimValue(rows[index + 1] as string);
    const unfit = unfitValue(value, rules.maxValueBytes);
    if (unfit !== undefined) {
      verdicts.push(rules.unfit(name, unfit));
      continue;
    }
    for (const pass of decision.passes) {
      verdicts.push(pass.verdict);
      const { outgoingName } = pass;
      if (outgoingName === undefined) continue;
      if (pass.authorizationRank > 0) {
        (authorizations ??= []).push({ pass, value, verdictIndex: verdicts.length - 1 });
        continue;
      }
      if (pass.singleton !== undefined) {
        if (singletons?.includes(pass.singleton)) throw new GatewayError('duplicate_header', { detail: pass.singleton });
        (singletons ??= []).push(pass.singleton);
      }
      // Once: what the caller sent of it may be several rows.
      if (pass.replaces !== undefined && !replaced?.includes(pass.replaces)) {
        removeHeader(headers, pass.replaces);
        (replaced ??= []).push(pass.replaces);
      }
      headers.push(outgoingName, value);
    }
  }
  if (authorizations !== undefined) addAuthorization(headers, verdicts, authorizations);
  return { headers, verdicts };
}

/** D3: what was sent as `X-Upstream-Authorization` wins over whatever else would be the upstream's `Authorization`. */
function addAuthorization(headers: string[], verdicts: Verdict[], authorizations: readonly Authorization[]): void {
  const highest = Math.max(...authorizations.map(({ pass }) => pass.authorizationRank));
  const [winner, second] = authorizations.filter(({ pass }) => pass.authorizationRank === highest);
  if (winner === undefined) return;
  if (second !== undefined) throw new GatewayError('duplicate_header', { detail: 'authorization' });
  headers.push(winner.pass.outgoingName ?? 'Authorization', winner.value);
  for (const { pass, verdictIndex } of authorizations) {
    if (pass === winner.pass) continue;
    const { name, action, outgoingName } = pass.verdict;
    const other = action === 'renamed' && outgoingName !== undefined ? { outgoingName } : undefined;
    verdicts[verdictIndex] = { name, action: 'dropped', reason: 'credential_not_forwardable', ...other, rule: winner.pass.verdict.name, from: 'built-in' };
  }
}

function removeHeader(headers: string[], name: string): void {
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if (headers[index]?.toLowerCase() === name) headers.splice(index, 2);
  }
}
