import { type Credential, insertCredentials } from '@gatehouse/app-auth';
import type { GlobalHeaderPolicy } from '@gatehouse/gateway-config';
import { applyHeaderRules, type Verdict } from '@gatehouse/header-policy';
import type { CallerHeaders } from './caller-headers.ts';
import { addOwnHeaders } from './own-headers.ts';
import type { PreparedServer } from './prepared-server.ts';
import { type CallFacts, protocolHeaders } from './protocol-headers.ts';

/** One call, as far as it decides what leaves. */
export interface CallToCompose {
  readonly server: Pick<PreparedServer, 'headerRules'>;
  readonly headerPolicy: GlobalHeaderPolicy;
  readonly call: CallFacts;
  /** The caller's headers, as they came and as they were read. */
  readonly rows: readonly string[];
  readonly headers: CallerHeaders;
  readonly credentials: readonly Credential[];
  /** Path and query at the upstream, before credentials. */
  readonly path: string;
  readonly userAgent: string;
}

export interface ComposedRequest {
  /** Path and query, credentials included. */
  readonly path: string;
  /** Flat: name, value, … */
  readonly headers: string[];
  /** What became of each of the caller's headers. */
  readonly verdicts: readonly Verdict[];
}

/**
 * The head of the request that leaves: the protocol's headers, then the caller's that pass, then credentials, over whatever has
 * their name. The data plane sends it, explain shows it; there is no other.
 * @throws GatewayError duplicate_header
 */
export function composeRequest({ server, headerPolicy, call, rows, headers, credentials, path, userAgent }: CallToCompose): ComposedRequest {
  const rules = server.headerRules.under(headerPolicy);
  const passed = applyHeaderRules(rules, rows, headers.nominated, protocolHeaders(call, headers, rules, userAgent));
  const applied = call.ownHeaders === undefined ? passed : addOwnHeaders(passed, call.ownHeaders, rules);
  return { path: insertCredentials(path, applied.headers, credentials), headers: applied.headers, verdicts: applied.verdicts };
}
