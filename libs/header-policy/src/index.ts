export { type AppliedHeaders, applyHeaderRules } from './apply-header-rules.ts';
export { baseHeaderNames, builtInRule, isHopByHop, isReservedHeader } from './built-in-rules.ts';
export { canonicalName } from './canonical-name.ts';
export { HeaderPattern, headerPattern } from './header-pattern.ts';
export { HeaderRules, type HeaderRulesOptions, type NamedRule, type Selection, type SelectionRow } from './header-rules.ts';
export { trimValue } from './header-value.ts';
export { leavingValue, neverLeaves } from './leaving-value.ts';
export { isSingletonHeader } from './singleton-headers.ts';
export { type DropReason, dropReasons, type RuleOrigin, type Verdict, type VerdictAction, verdictOutcome } from './verdict.ts';
