import type { HeaderRules } from '@gatehouse/header-policy';
import type { CallerHeaders } from './caller-headers.ts';

// W3C Trace Context section 3.2.2: no id is all zeros, and version ff is none.
const traceparentShape = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]*)?$/;
// W3C Trace Context sections 3.3.1.1 to 3.3.1.3.
const stateMember = /^[a-z0-9][a-z0-9_\-*/]{0,240}(@[a-z][a-z0-9_\-*/]{0,13})?=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const maxStateMembers = 32;
const maxStateBytes = 4_096;
// W3C Baggage section 3.2.1: a token, and a value of printable ASCII without the characters that delimit; properties alike.
const baggagePair = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\s*=\s*[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
const baggageProperty = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(\s*=\s*[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)?$/;
/** W3C Baggage section 3.3.2. */
const maxBaggageBytes = 8_192;

/** Unchanged, as the gateway makes no span of its own here (P3); what does not fit the specifications stays. */
export function addTraceContext(outgoing: string[], { traceparent, tracestate, baggage }: CallerHeaders, rules: HeaderRules): void {
  if (traceparent !== undefined && traceparentShape.test(traceparent) && !rules.isRestricted('traceparent')) {
    outgoing.push('traceparent', traceparent);
    if (tracestate !== undefined && isTraceState(tracestate) && !rules.isRestricted('tracestate')) outgoing.push('tracestate', tracestate);
  }
  // Baggage is the caller's own words: it goes where its other headers could go, and nowhere when pass-through is switched off.
  if (baggage !== undefined && isBaggage(baggage) && !rules.isSwitchedOff && !rules.isRestricted('baggage')) outgoing.push('baggage', baggage);
}

function isTraceState(value: string): boolean {
  if (value.length > maxStateBytes) return false;
  const members = value.split(',').map(trimmed).filter((member) => member !== '');
  return members.length > 0 && members.length <= maxStateMembers && members.every((member) => stateMember.test(member));
}

function isBaggage(value: string): boolean {
  if (value.length > maxBaggageBytes) return false;
  return value.split(',').every((member) => {
    const [pair = '', ...properties] = member.split(';').map(trimmed);
    return baggagePair.test(pair) && properties.every((property) => baggageProperty.test(property));
  });
}

const trimmed = (text: string): string => text.trim();
