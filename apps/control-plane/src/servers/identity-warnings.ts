import type { AgentAuth } from '@gatehouse/agent-auth';
import type { GlobalHeaderPolicy, Warning } from '@gatehouse/gateway-config';
import { canonicalName } from '@gatehouse/header-policy';
import type { OutboundHeaders } from '@gatehouse/outbound-headers';
import type { PreparedServer } from '@gatehouse/upstream-request';
import { textClaims } from '../agents-oauth/access-token-claims.ts';
import type { StoredDocument } from './servers.store.ts';

type Source = OutboundHeaders[number]['source'];

/** Outbound headers that say who calls, where nobody who calls this server is known in that way: each call fails, or goes without. */
export function identityWarnings(document: StoredDocument): Warning[] {
  const { agentAuth, outboundHeaders = [] } = document as { agentAuth: AgentAuth; outboundHeaders?: OutboundHeaders };
  return outboundHeaders.flatMap(({ source, required }, index) => {
    // A claim that may be missing may be missing of everyone.
    if (source.type !== 'caller-identity' || (source.signed === undefined && required === false)) return [];
    const why = whyNever(source, agentAuth);
    return why === undefined ? [] : [{ code: 'claim_missing', pointer: `/outboundHeaders/${index}/source`, detail: `This never has a value: ${why}.` }];
  });
}

/** Headers that are made of a caller's, of one that never goes on. */
export function requestHeaderWarnings(document: StoredDocument, { headerRules }: PreparedServer, policy: GlobalHeaderPolicy): Warning[] {
  const { outboundHeaders = [] } = document as { outboundHeaders?: OutboundHeaders };
  // As if the switch were on: that all is off is said of the policy, not of each server.
  const rules = headerRules.under({ ...policy, enabled: true });
  return outboundHeaders.flatMap(({ source, required }, index) => {
    if (source.type !== 'request-header' || required === false || !rules.isRestricted(canonicalName(source.name))) return [];
    return [{ code: 'request_header_restricted', pointer: `/outboundHeaders/${index}/source/name`, detail: 'This never has a value: the header is restricted, by this server or by the global policy.' }];
  });
}

function whyNever({ claim, signed }: Extract<Source, { type: 'caller-identity' }>, agentAuth: AgentAuth): string | undefined {
  switch (agentAuth.type) {
    case 'interactive':
      return claim === undefined || textClaims.has(claim) ? undefined : `the gateway’s tokens say of a person ${[...textClaims].join(', ')}`;
    case 'api-key':
      return signed === true || claim === 'name' ? undefined : 'callers with a key are service accounts, of which a name is known';
    case 'passthrough':
      if (agentAuth.jwt === undefined) return 'nobody is known here, because no JWT is checked';
      return signed === true && agentAuth.jwt.issuer === undefined ? 'a token may name anybody as its subject where the server does not insist on an issuer' : undefined;
  }
}
