import { type ClientSecrets, signs } from './client-fields.ts';

/**
 * Whether a client may be the same at another token endpoint. Whoever is shown its secret can come to the first one with it; an
 * assertion is for one of them alone (RFC 7523 section 3).
 */
export function mayShareClient(client: ClientSecrets & { readonly tokenUrl: string }, otherTokenUrl: string): boolean {
  if (signs(client)) return true;
  const [own, other] = [URL.parse(client.tokenUrl), URL.parse(otherTokenUrl)];
  return own !== null && own.origin === other?.origin;
}
