import type { Credential } from '@gatehouse/app-auth';
import type { RequestTarget } from '@gatehouse/egress';

/** Puts credentials into a request over whatever has their name, as the data plane does. */
export function insertCredentials({ path, headers }: RequestTarget, credentials: readonly Credential[]): RequestTarget {
  let target = path;
  let kept = [...headers];
  for (const { in: location, name, value } of credentials) {
    if (location === 'query') {
      target += `${target.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=${encodeURIComponent(value.reveal())}`;
    } else {
      kept = [...withoutHeader(kept, name), name, value.reveal()];
    }
  }
  return { path: target, headers: kept };
}

/** What is inserted where, by name only. */
export function describeCredentials(credentials: readonly Credential[]): string {
  return credentials.map(({ in: location, name }) => (location === 'query' ? `query parameter ${name}` : `header ${name}`)).join(', ');
}

function withoutHeader(headers: readonly string[], name: string): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const own = headers[index] ?? '';
    if (own.toLowerCase() !== name.toLowerCase()) kept.push(own, headers[index + 1] ?? '');
  }
  return kept;
}
