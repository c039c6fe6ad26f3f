import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import { builtInRule } from './built-in-rules.ts';
import { canonicalName } from './canonical-name.ts';
import type { HeaderPattern } from './header-pattern.ts';
import type { UnfitValue } from './header-value.ts';
import { isSingletonHeader } from './singleton-headers.ts';
import type { DropReason, RuleOrigin, Verdict } from './verdict.ts';

/** A rule as a verdict names it. */
export interface NamedRule {
  readonly rule: string;
  readonly from: RuleOrigin;
}

/** One header that is selected: `source` is matched without case, `target` is the spelling it leaves under. */
export interface SelectionRow extends NamedRule {
  readonly source: string;
  readonly target: string;
}

/** Which headers pass, of those that nothing else keeps back. */
export type Selection =
  | ({ readonly mode: 'none' | 'all' } & NamedRule)
  | ({ readonly mode: 'rows'; readonly rows: readonly SelectionRow[] } & NamedRule);

/** Everything the policy of one server depends on, resolved: server over global over environment. */
export interface HeaderRulesOptions {
  /** The rule that switches all pass-through off. */
  readonly switchedOff?: NamedRule;
  readonly selection: Selection;
  readonly restricted: readonly { readonly pattern: HeaderPattern; readonly from: RuleOrigin }[];
  readonly overwriteBaseHeaders: boolean;
  readonly maxValueBytes: NamedRule & { readonly bytes: number };
  /** Canonical names of what the gateway writes on every request. */
  readonly baseHeaders: ReadonlySet<string>;
  /** Names that app authentication sets. */
  readonly appAuthHeaders: readonly string[];
  readonly outboundHeaders: readonly string[];
  /** D2: whether the caller's own `Authorization` may go upstream at all. */
  readonly forwardsAuthorization: boolean;
  /** D3: whether app authentication holds a credential, which `X-Upstream-Authorization` never replaces. */
  readonly storesCredential: boolean;
}

/** Where a header goes whose value is fit to leave. */
export interface Pass {
  readonly verdict: Verdict;
  /** Absent where a conflict keeps it back, as the verdict says. */
  readonly outgoingName?: string;
  /** The base header that it takes the place of. */
  readonly replaces?: string;
  /** Of two `Authorization`s one leaves: the one of the higher rank. */
  readonly authorizationRank: number;
  /** Its canonical name where it may leave once only. */
  readonly singleton?: string;
}

/** What a name alone decides. */
export interface Decision {
  /** Whether its verdict stands before what `Connection` nominates is looked at. */
  readonly isConnectionHeader: boolean;
  readonly dropped: Verdict | undefined;
  readonly passes: readonly Pass[];
}

const maxRememberedNames = 256;
const maxRememberedLength = 64;
/** Of all servers together: some 20 MB. */
const decisionBudget = new CacheBudget(50_000);

/** A server's header rules, compiled: what a name decides is decided once for each spelling. */
export class HeaderRules {
  readonly #options: HeaderRulesOptions;
  readonly #rows = new Map<string, SelectionRow[]>();
  readonly #appAuthHeaders: ReadonlySet<string>;
  readonly #outboundHeaders: ReadonlyMap<string, string>;
  readonly #decisions = new BoundedCache<Decision>(maxRememberedNames, decisionBudget);

  constructor(options: HeaderRulesOptions) {
    this.#options = options;
    this.#appAuthHeaders = new Set(options.appAuthHeaders.map(canonicalName));
    this.#outboundHeaders = new Map(options.outboundHeaders.map((name) => [canonicalName(name), name]));
    if (options.selection.mode !== 'rows') return;
    for (const row of options.selection.rows) {
      const source = row.source.toLowerCase();
      const rows = this.#rows.get(source);
      if (rows === undefined) this.#rows.set(source, [row]);
      else rows.push(row);
    }
  }

  get maxValueBytes(): number {
    return this.#options.maxValueBytes.bytes;
  }

  get isSwitchedOff(): boolean {
    return this.#options.switchedOff !== undefined;
  }

  /** Whether a pattern keeps a name from leaving that the gateway would write. `canonical` as `canonicalName` gives it. */
  isRestricted(canonical: string): boolean {
    return this.#restricting(canonical) !== undefined;
  }

  /** What it was compiled from, for whoever describes it. */
  get options(): HeaderRulesOptions {
    return this.#options;
  }

  /** What is decided for a name, as it is spelled. Strangers choose names: so many are remembered. */
  decide(name: string): Decision {
    const known = this.#decisions.get(name);
    if (known !== undefined) return known;
    const decision = this.#decide(name);
    if (name.length <= maxRememberedLength) this.#decisions.set(name, decision);
    return decision;
  }

  unfit(name: string, reason: UnfitValue): Verdict {
    const { rule, from }: NamedRule = reason === 'value_too_long' ? this.#options.maxValueBytes : { rule: 'header values', from: 'built-in' };
    return { name, action: 'dropped', reason, rule, from };
  }

  /** D6, steps 1 to 4, and of step 6 what names alone decide; the first one wins. */
  #decide(name: string): Decision {
    const canonical = canonicalName(name);
    const lowerCase = name.toLowerCase();
    const builtIn = builtInRule(canonical);
    if (builtIn !== undefined) return dropped(name, builtIn.reason, { rule: builtIn.rule, from: 'built-in' });

    const restricting = this.#restricting(canonical);
    if (restricting !== undefined) return dropped(name, 'restricted', restricting);

    if (canonical === upstreamAuthorization) return this.#decideUpstreamAuthorization(name, lowerCase);
    if (lowerCase === 'authorization' && !this.#options.forwardsAuthorization) return dropped(name, 'credential_not_forwardable', credentialRule);

    const { switchedOff, selection } = this.#options;
    if (switchedOff !== undefined) return dropped(name, 'pass_through_off', switchedOff);
    if (selection.mode === 'all') return passing([this.#pass(name, name, selection)]);
    const rows = this.#rows.get(lowerCase);
    if (rows === undefined) return dropped(name, 'not_selected', selection);
    return passing(rows.map((row) => this.#pass(name, row.target, row)));
  }

  /** D3: a credential that its caller means for the upstream. It needs no selection, and never goes under its own name. */
  #decideUpstreamAuthorization(name: string, lowerCase: string): Decision {
    const { storesCredential, switchedOff } = this.#options;
    // One that is only spelled like it is nobody's credential.
    if (lowerCase !== upstreamAuthorization) return dropped(name, 'reserved', upstreamAuthorizationRule);
    if (storesCredential) return dropped(name, 'app_auth_wins', upstreamAuthorizationRule);
    if (this.#outboundHeaders.has('authorization')) return dropped(name, 'outbound_header_wins', this.#outboundRule('authorization'));
    if (switchedOff !== undefined) return dropped(name, 'pass_through_off', switchedOff);
    return passing([this.#pass(name, 'Authorization', upstreamAuthorizationRule)]);
  }

  #pass(name: string, outgoingName: string, { rule, from }: NamedRule): Pass {
    const canonical = canonicalName(outgoingName);
    const isSame = outgoingName.toLowerCase() === name.toLowerCase();
    const refuse = (reason: DropReason, by: NamedRule): Pass => ({
      verdict: { name, action: 'dropped', reason, ...(!isSame && { outgoingName }), rule: by.rule, from: by.from },
      authorizationRank: 0,
    });
    const conflict = this.#conflict(canonical);
    if (conflict !== undefined) return refuse(conflict.reason, conflict);
    const replaces = this.#options.baseHeaders.has(canonical);
    return {
      verdict: { name, action: replaces ? 'replaced' : isSame ? 'kept' : 'renamed', outgoingName, rule, from },
      outgoingName,
      ...(replaces && { replaces: canonical }),
      authorizationRank: canonical !== 'authorization' ? 0 : canonicalName(name) === upstreamAuthorization ? 2 : 1,
      ...(isSingletonHeader(canonical) && { singleton: canonical }),
    };
  }

  /** Why nothing of the caller's may leave under this name. */
  #conflict(canonical: string): ({ readonly reason: DropReason } & NamedRule) | undefined {
    const builtIn = builtInRule(canonical);
    if (builtIn !== undefined) return { ...builtIn, from: 'built-in' };
    if (canonical === upstreamAuthorization) return { reason: 'reserved', ...upstreamAuthorizationRule };
    const restricting = this.#restricting(canonical);
    if (restricting !== undefined) return { reason: 'restricted', ...restricting };
    if (this.#appAuthHeaders.has(canonical)) return { reason: 'app_auth_wins', rule: 'appAuth', from: 'server' };
    if (this.#outboundHeaders.has(canonical)) return { reason: 'outbound_header_wins', ...this.#outboundRule(canonical) };
    const { baseHeaders, overwriteBaseHeaders } = this.#options;
    if (baseHeaders.has(canonical) && !overwriteBaseHeaders) return { reason: 'base_header_wins', rule: 'base headers', from: 'built-in' };
    return undefined;
  }

  #restricting(canonical: string): NamedRule | undefined {
    const found = this.#options.restricted.find(({ pattern }) => pattern.matches(canonical));
    return found && { rule: `restricted ${found.pattern.text}`, from: found.from };
  }

  #outboundRule(canonical: string): NamedRule {
    return { rule: `outboundHeaders ${this.#outboundHeaders.get(canonical)}`, from: 'server' };
  }
}

const upstreamAuthorization = 'x-upstream-authorization';
const upstreamAuthorizationRule: NamedRule = { rule: 'X-Upstream-Authorization', from: 'built-in' };
const credentialRule: NamedRule = { rule: 'Authorization', from: 'built-in' };

function dropped(name: string, reason: DropReason, { rule, from }: NamedRule): Decision {
  return { isConnectionHeader: reason === 'blocked' || reason === 'hop_by_hop', dropped: { name, action: 'dropped', reason, rule, from }, passes: [] };
}

const passing = (passes: readonly Pass[]): Decision => ({ isConnectionHeader: false, dropped: undefined, passes });
