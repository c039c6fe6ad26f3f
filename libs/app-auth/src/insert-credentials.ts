import type { Credential } from './app-auth-type.ts';

/**
 * The one place where a credential enters a request: over whatever has its name in `headers` (flat: name, value, …), or into
 * the query of `path`, which is given back.
 */
export function insertCredentials(path: string, headers: string[], credentials: readonly Credential[]): string {
  let target = path;
  for (const credential of credentials) {
    if (credential.in === 'query') {
      const pair = `${encodeURIComponent(credential.name)}=${encodeURIComponent(credential.value.reveal())}`;
      target += `${target.includes('?') ? '&' : '?'}${pair}`;
    } else {
      removeHeader(headers, credential.name.toLowerCase());
      headers.push(credential.name, credential.value.reveal());
    }
  }
  return target;
}

function removeHeader(headers: string[], name: string): void {
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if (headers[index]?.toLowerCase() === name) headers.splice(index, 2);
  }
}
