import { type Credential, insertCredentials } from '@gatehouse/app-auth';
import type { RequestTarget } from '@gatehouse/egress';
import type { ServerDocument } from '@gatehouse/gateway-config';

/** The request as it is with its credentials; the one that is given stays as it was. */
export function withCredentials(target: RequestTarget, credentials: readonly Credential[]): RequestTarget {
  const headers = [...target.headers];
  return { path: insertCredentials(target.path, headers, credentials), headers };
}

/** What is inserted where, by name only. */
export function describeCredentials(credentials: readonly Credential[], { outboundHeaders = [] }: Pick<ServerDocument, 'outboundHeaders'>): string {
  const outbound = new Set(outboundHeaders.map(({ name }) => name));
  const placeOf = ({ in: location, name }: Credential): string => (location === 'query' ? 'query parameter' : outbound.has(name) ? 'outbound header' : 'header');
  return credentials.map((credential) => `${placeOf(credential)} ${credential.name}`).join(', ');
}
