import type { ServerDocument, Warning } from '@gatehouse/gateway-config';
import type { StoredDocument } from './servers.store.ts';

/** Of a server that validates its callers' JWTs: what lets others than its issuer say which ones are good. */
export function jwtWarnings(document: StoredDocument): Warning[] {
  const { agentAuth } = document as Pick<ServerDocument, 'agentAuth'>;
  const jwt = agentAuth.type === 'passthrough' ? agentAuth.jwt : undefined;
  if (jwt === undefined) return [];
  return [...(jwt.jwksUrl !== undefined && isPlainHttp(jwt.jwksUrl) ? [plainHttp] : []), ...(jwt.issuer === undefined ? [anyIssuer] : [])];
}

const plainHttp: Warning = {
  code: 'jwks_plain_http', pointer: '/agentAuth/jwt/jwksUrl',
  detail: 'The key set is fetched without TLS: whoever is between a data plane and this address can put keys of their own into it, and be any caller.',
};

const anyIssuer: Warning = {
  code: 'jwt_any_issuer', pointer: '/agentAuth/jwt',
  detail: 'A token of any issuer is good if one of these keys signed it: keys that several issuers or tenants share let in the callers of all of them. Set issuer.',
};

/** Over the network: what stays on this machine nobody is in between of (RFC 6761 section 6.3 for the name). */
function isPlainHttp(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'http:' && !/^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}
