import { type AppliedHeaders, canonicalName, type HeaderRules, type Verdict } from '@gatehouse/header-policy';

/**
 * Puts what a request that is not MCP says of itself (what it accepts, the type of its body, an operation's parameters) before what
 * leaves of its caller's headers. Those are about another message: under a name that this one has they would not be true of it,
 * whatever they may overwrite otherwise. What no caller may set by a header, none sets by an argument.
 */
export function addOwnHeaders({ headers, verdicts }: AppliedHeaders, own: readonly string[], rules: HeaderRules): AppliedHeaders {
  const names = new Set(alwaysOwn);
  const said: string[] = [];
  eachHeader(own, (name, value) => {
    const canonical = canonicalName(name);
    if (rules.isRestricted(canonical) && !alwaysOwn.has(canonical)) return;
    names.add(canonical);
    said.push(name, value);
  });
  eachHeader(headers, (name, value) => void (names.has(canonicalName(name)) || said.push(name, value)));
  return { headers: said, verdicts: verdicts.map((verdict) => ownWins(verdict, names)) };
}

const alwaysOwn: ReadonlySet<string> = new Set(['accept', 'content-type']);

function ownWins(verdict: Verdict, names: ReadonlySet<string>): Verdict {
  const { name, action, outgoingName } = verdict;
  if (action === 'dropped' || outgoingName === undefined || !names.has(canonicalName(outgoingName))) return verdict;
  return { name, action: 'dropped', reason: 'base_header_wins', ...(action === 'renamed' && { outgoingName }), rule: 'protocol', from: 'built-in' };
}

function eachHeader(headers: readonly string[], visit: (name: string, value: string) => void): void {
  for (let index = 0; index + 1 < headers.length; index += 2) visit(headers[index] as string, headers[index + 1] as string);
}
