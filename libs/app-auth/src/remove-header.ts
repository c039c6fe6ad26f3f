import { canonicalName } from '@gatehouse/header-policy';

/** By canonical name (D5, docs/rules.md): some upstreams cannot tell `User_Agent` from `User-Agent`, and only one may leave. */
export function removeHeader(headers: string[], canonical: string): void {
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    const name = headers[index] as string;
    // The canonical form is as long as the name.
    if (name.length === canonical.length && canonicalName(name) === canonical) headers.splice(index, 2);
  }
}
