import { importJWK, jwtVerify } from 'jose';
import { errors } from 'oidc-provider';
import type { ExchangeProvider } from './exchange-provider.ts';
import { exchangingClient, startExchangeServer } from './exchange-server.ts';
import type { TokenIssuer } from './token-issuer.ts';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export const entraClient = { clientId: '6f1ff6b1-0000-4000-8000-000000000001', clientSecret: 'client-secret-of-the-middle-tier-0123456789' } as const;

export interface EntraLike extends ExchangeProvider {
  /** From now on this person has to do something first (multi-factor authentication, consent). */
  requireInteraction(subject: string): void;
}

/**
 * What Microsoft Entra is in its on-behalf-of flow: the assertion is an access token whose audience is the client that presents it,
 * `requested_token_use` says what for, and scopes name the next API.
 */
export async function startEntraLike(trusted: TokenIssuer): Promise<EntraLike> {
  const interacting = new Set<string>();
  const server = await startExchangeServer({
    clients: [exchangingClient(entraClient.clientId, entraClient.clientSecret, [jwtBearer], 'client_secret_post')],
    grants: [{ name: jwtBearer, parameters: ['assertion', 'requested_token_use', 'scope'], handle: async (context, giving) => {
      const { assertion = '', requested_token_use: use, scope } = context.oidc.params;
      if (use !== 'on_behalf_of') throw new errors.InvalidRequest('AADSTS900144: The request body must contain the following parameter: requested_token_use.');
      if (scope === undefined) throw new errors.InvalidRequest('AADSTS900144: The request body must contain the following parameter: scope.');
      const { payload } = await jwtVerify(assertion, await importJWK(trusted.key.publicJwk), { issuer: trusted.url }).catch(() => {
        throw refusal('AADSTS50013: Assertion failed signature validation.');
      });
      if (payload.aud !== context.oidc.client.clientId) throw refusal('AADSTS500131: Assertion audience does not match the Client app presenting the assertion.');
      const subject = payload.sub ?? '';
      if (interacting.has(subject)) throw new errors.CustomOIDCProviderError('interaction_required', 'AADSTS50076: you must use multi-factor authentication to access.');
      const token = await giving.give(context, { subject, scope });
      context.body = { token_type: 'Bearer', scope, expires_in: 3599, ext_expires_in: 3599, access_token: token };
    } }],
  });
  return Object.assign(server, { ...entraClient, requireInteraction: (subject: string) => void interacting.add(subject) });
}

/** In words that the client is told. */
const refusal = (words: string): Error => new errors.CustomOIDCProviderError('invalid_grant', words);
