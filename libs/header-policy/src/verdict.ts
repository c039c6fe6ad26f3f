/** What happened to a header: a caller's (all but `set`), or one that the gateway adds (`set`). D12, docs/rules.md. */
export type VerdictAction = 'kept' | 'renamed' | 'dropped' | 'set' | 'replaced';

/** Why a caller's header does not leave, in the order in which they are decided (D6, docs/rules.md). */
export const dropReasons = [
  'blocked', 'hop_by_hop', 'connection_nominated', 'reserved', 'restricted', 'credential_not_forwardable', 'app_auth_wins', 'outbound_header_wins',
  'base_header_wins', 'not_selected', 'pass_through_off', 'value_too_long', 'invalid_value', 'empty_value',
] as const;

export type DropReason = (typeof dropReasons)[number];

/** Where a rule was written. */
export type RuleOrigin = 'server' | 'global' | 'environment' | 'built-in';

/** One decision about one header. Names only: a value is never part of it. */
export interface Verdict {
  /** As the caller spelled it; of `set`, the header that the gateway adds. */
  readonly name: string;
  readonly action: VerdictAction;
  /** Of `dropped`. */
  readonly reason?: DropReason;
  /** The name under which it leaves; where a conflict drops it, the one under which it would have, if that is another. */
  readonly outgoingName?: string;
  /** The rule that decided, as a person finds it in the configuration or in docs/header-policy.md. */
  readonly rule: string;
  readonly from: RuleOrigin;
}

/** What a verdict is counted as: the reason of what was dropped, the action of everything else. */
export const verdictOutcome = ({ action, reason }: Verdict): DropReason | VerdictAction => reason ?? action;
