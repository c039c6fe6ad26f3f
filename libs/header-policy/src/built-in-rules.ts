import { canonicalName } from './canonical-name.ts';
import type { DropReason } from './verdict.ts';

/** A rule that no configuration changes. */
export interface BuiltInRule {
  readonly reason: Extract<DropReason, 'blocked' | 'hop_by_hop' | 'reserved'>;
  readonly rule: string;
}

const rule = (reason: BuiltInRule['reason'], text: string): BuiltInRule => ({ reason, rule: text });
const names = (entry: BuiltInRule, ...list: string[]): (readonly [string, BuiltInRule])[] => list.map((name) => [name, entry] as const);

const connection = rule('hop_by_hop', 'connection headers');
const proxy = rule('hop_by_hop', 'proxy-*');
const own = rule('reserved', 'x-gatehouse-*');
const forwarding = rule('reserved', 'forwarding headers');
const traceContext = rule('reserved', 'trace context');
const browser = rule('reserved', 'browser headers');
const protocol = rule('reserved', 'protocol headers');

/** Step 1 of D6 (docs/rules.md), by canonical name. */
const exact = new Map<string, BuiltInRule>([
  // Session data of the gateway's own origin, and of whatever shares it (RFC 6265, RFC 2965).
  ...names(rule('blocked', 'cookies'), 'cookie', 'cookie2', 'set-cookie', 'set-cookie2'),
  // About one connection and its framing (RFC 9110 sections 7.6.1, 10.1.1 and 18.4, RFC 9112, RFC 7540 section 3.2.1). `Close` is
  // what every `Connection: close` nominates.
  ...names(connection, 'close', 'connection', 'content-length', 'expect', 'host', 'http2-settings', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'),
  // What the gateway says itself of where a request came from (RFC 7239, RFC 9110 section 7.6.3).
  ...names(forwarding, 'forwarded', 'x-real-ip', 'via'),
  ...names(traceContext, 'traceparent', 'tracestate', 'baggage'),
  ...names(browser, 'origin', 'referer'),
  // Written by the protocol layer, which has to read what comes back.
  ...names(protocol, 'last-event-id', 'accept-encoding', 'content-encoding'),
]);

const prefixes: readonly (readonly [string, BuiltInRule])[] = [
  ['proxy-', proxy],
  ['x-gatehouse-', own],
  ['x-forwarded-', forwarding],
  ['sec-', browser],
  ['access-control-', browser],
  ['mcp-', protocol],
];

/** The built-in rule that keeps a caller's header of this name from leaving. `canonical` as `canonicalName` gives it. */
export function builtInRule(canonical: string): BuiltInRule | undefined {
  return exact.get(canonical) ?? prefixes.find(([prefix]) => canonical.startsWith(prefix))?.[1];
}

/** Headers that the gateway writes on every request and that a policy may replace where `overwriteBaseHeaders` says so. */
export const baseHeaderNames: ReadonlySet<string> = new Set(['accept', 'content-type', 'user-agent']);

/** Whether a name is about the connection or its framing. `canonical` as `canonicalName` gives it. */
export const isHopByHop = (canonical: string): boolean => builtInRule(canonical)?.reason === 'hop_by_hop';

/** What an administrator may not put a value into either: it would break the connection, the protocol or the gateway's own word. */
const neverSet: ReadonlySet<BuiltInRule> = new Set([connection, proxy, own, protocol]);

/** Whether a credential may not be put into a header of this name: framing, the protocol's own, the gateway's own. */
export function isReservedHeader(name: string): boolean {
  const canonical = canonicalName(name);
  const builtIn = builtInRule(canonical);
  return canonical === 'accept' || canonical === 'content-type' || (builtIn !== undefined && neverSet.has(builtIn));
}
