import { type Credential, insertCredentials, signaturesOf, signRequest } from '@gatehouse/app-auth';
import type { RequestTarget, UnfinishedRequest } from '@gatehouse/egress';
import type { UpstreamServerDocument } from '@gatehouse/gateway-config';

/** The request as it is with its credentials; the one that is given stays as it was. */
export function withCredentials(request: UnfinishedRequest, credentials: readonly Credential[]): RequestTarget {
  const headers = [...request.headers];
  const path = insertCredentials(request.path, headers, credentials);
  const signatures = signaturesOf(credentials);
  return { path, headers: signatures === undefined ? headers : signRequest(signatures, { ...request, path, headers }) };
}

/** What is inserted where, by name only. */
export function describeCredentials(credentials: readonly Credential[], { outboundHeaders = [] }: Pick<UpstreamServerDocument, 'outboundHeaders'>): string {
  const outbound = new Set(outboundHeaders.map(({ name }) => name));
  const describe = (credential: Credential): string => {
    if (credential.in === 'signature') return `a signature in the headers ${credential.headerNames.join(', ')}`;
    const { in: location, name } = credential;
    return `${location === 'query' ? 'query parameter' : outbound.has(name) ? 'outbound header' : 'header'} ${name}`;
  };
  return credentials.map(describe).join(', ');
}
