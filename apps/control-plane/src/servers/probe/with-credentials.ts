import { type Credential, insertCredentials } from '@gatehouse/app-auth';
import type { RequestTarget } from '@gatehouse/egress';

/** The request as it is with its credentials; the one that is given stays as it was. */
export function withCredentials(target: RequestTarget, credentials: readonly Credential[]): RequestTarget {
  const headers = [...target.headers];
  return { path: insertCredentials(target.path, headers, credentials), headers };
}

/** What is inserted where, by name only. */
export function describeCredentials(credentials: readonly Credential[]): string {
  return credentials.map(({ in: location, name }) => (location === 'query' ? `query parameter ${name}` : `header ${name}`)).join(', ');
}
