import { namesInQuery, withoutNames } from '@gatehouse/config-fields';
import { canonicalName } from '@gatehouse/header-policy';
import type { Credential } from './app-auth-type.ts';
import { removeHeader } from './remove-header.ts';

/**
 * The one place where a credential enters a request: over whatever has its name in `headers` (flat: name, value, …) or in
 * the query of `path`, which is given back. Signatures are made of the outcome (`signRequest`).
 */
export function insertCredentials(path: string, headers: string[], credentials: readonly Credential[]): string {
  let target = path;
  for (const credential of credentials) {
    if (credential.in === 'query') {
      if (target.includes('?')) target = withoutParameter(target, credential.name);
      const pair = `${encodeURIComponent(credential.name)}=${encodeURIComponent(credential.value.reveal())}`;
      target += `${target.includes('?') ? '&' : '?'}${pair}`;
    } else if (credential.in === 'header') {
      removeHeader(headers, canonicalName(credential.name));
      headers.push(credential.name, credential.value.reveal());
    }
  }
  return target;
}

function withoutParameter(target: string, name: string): string {
  const [path, query] = splitAt(target, target.indexOf('?'));
  const kept = withoutNames(query, namesInQuery(encodeURIComponent(name)));
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}

const splitAt = (text: string, index: number): [string, string] => [text.slice(0, index), text.slice(index + 1)];
