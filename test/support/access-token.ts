import { randomUUID } from 'node:crypto';
import type { SigningKey, TokenIssuer } from './token-issuer.ts';

export const ana = { sub: '01919e1c-0000-7000-8000-00000000a0a0', name: 'Ana Example', email: 'ana@example.com', groups: ['sales'], grant: 'grant-of-ana', idp: 'corporate' } as const;
export const ben = { sub: '01919e1c-0000-7000-8000-00000000b0b0', name: 'Ben Example', email: 'ben@example.com', groups: ['support'], grant: 'grant-of-ben', idp: 'corporate' } as const;

/** An access token as the agents' authorization server issues them (RFC 9068), in the name of Ana unless the claims say otherwise; `undefined` leaves one out. */
export function signAccessToken(
  issuer: TokenIssuer, audience: string, claims: Readonly<Record<string, unknown>> = {}, options: { readonly header?: Readonly<Record<string, unknown>>; readonly key?: SigningKey } = {},
): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1000);
  const { header, ...rest } = options;
  return issuer.sign({ ...ana, aud: audience, client_id: 'client-1', scope: '', iat: issuedAt, exp: issuedAt + 300, jti: randomUUID(), ...claims }, { ...rest, header: { typ: 'at+jwt', ...header } });
}
