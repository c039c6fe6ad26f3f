import type { ClientAuthentication, OAuthClient } from '@gatehouse/oauth-client';
import { Secret } from '@gatehouse/sealing';

/** What revoking takes of a client. */
export type RevokingClient = Pick<OAuthClient, 'issuer' | 'tokenUrl' | 'revocationUrl' | 'clientId' | 'authentication' | 'revocation'>;

interface Written extends Omit<RevokingClient, 'authentication'> {
  readonly method: ClientAuthentication['method'];
  readonly secret?: string;
}

/** As text to be sealed: its secret is in it. */
export function writeClient({ issuer, tokenUrl, revocationUrl, clientId, revocation, authentication }: RevokingClient): string {
  const { method } = authentication;
  const secret = method === 'none' ? undefined : method === 'private-key-jwt' ? authentication.key : authentication.secret;
  return JSON.stringify({ issuer, tokenUrl, revocationUrl, clientId, revocation, method, secret: secret?.reveal() });
}

export function readClient(text: string): RevokingClient {
  const { method, secret = '', ...client } = JSON.parse(text) as Written;
  const authentication: ClientAuthentication =
    method === 'none' ? { method } : method === 'private-key-jwt' ? { method, key: new Secret(secret) } : { method, secret: new Secret(secret) };
  return { ...client, authentication };
}
