import { randomUUID } from 'node:crypto';
import { createRemoteJWKSet, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { errors } from 'oidc-provider';
import { exchangeGrant, exchangeParameters, type ExchangeProvider } from './exchange-provider.ts';
import { exchangingClient, startExchangeServer } from './exchange-server.ts';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const idJagType = 'urn:ietf:params:oauth:token-type:id-jag';

export const atIdentityProvider = { clientId: 'gatehouse-at-the-identity-provider', clientSecret: 'client-secret-at-the-identity-provider-0123456789' } as const;
export const atTarget = { clientId: 'gatehouse-at-the-target', clientSecret: 'client-secret-at-the-target-0123456789' } as const;

export interface IdJagPair {
  /** Gives assertions for ID tokens of its own. */
  readonly identityProvider: ExchangeProvider;
  /** Gives access tokens for the identity provider's assertions, each once. */
  readonly target: ExchangeProvider;
  /** As the identity provider gives one with a login. */
  idToken(subject: string, claims?: Readonly<Record<string, unknown>>): Promise<string>;
  close(): Promise<void>;
}

export interface IdJagOptions {
  /** Whose ID tokens are taken in place of its own: another part of the same identity provider, which people log in at. */
  readonly logins?: { readonly issuer: string; readonly clientId: string };
}

/** draft-ietf-oauth-identity-assertion-authz-grant: an identity provider and an authorization server that trusts it. */
export async function startIdJagPair({ logins }: IdJagOptions = {}): Promise<IdJagPair> {
  const key = await generateKeyPair('ES256');
  const seen = new Set<string>();
  // It trusts the identity provider, which has to know it: one of the two is there first.
  const known = new Set<string>();

  const identityProvider = await startExchangeServer({
    clients: [exchangingClient(atIdentityProvider.clientId, atIdentityProvider.clientSecret, [exchangeGrant])],
    grants: [{ name: exchangeGrant, parameters: exchangeParameters, handle: async (context, { issuer }) => {
      const { subject_token: token = '', subject_token_type: type, requested_token_type: requested, audience, resource, scope } = context.oidc.params;
      if (type !== 'urn:ietf:params:oauth:token-type:id_token' || requested !== idJagType) throw new errors.InvalidRequest('only assertions for ID tokens are given');
      const verified = logins
        ? jwtVerify(token, createRemoteJWKSet(new URL(`${logins.issuer}/jwks`)), { issuer: logins.issuer, audience: logins.clientId })
        : jwtVerify(token, key.publicKey, { issuer, audience: context.oidc.client.clientId });
      const { payload } = await verified.catch(() => {
        throw new errors.InvalidGrant('the ID token is not valid, or not for this client');
      });
      if (audience === undefined || !known.has(audience)) throw new errors.InvalidTarget('no such authorization server');
      const assertion = await new SignJWT({ client_id: atTarget.clientId, ...(scope && { scope }), ...(resource && { resource }) })
        .setProtectedHeader({ alg: 'ES256', typ: 'oauth-id-jag+jwt' }).setIssuer(issuer).setSubject(payload.sub ?? '').setAudience(audience).setIssuedAt().setExpirationTime('5m').setJti(randomUUID()).sign(key.privateKey);
      context.body = { access_token: assertion, issued_token_type: idJagType, token_type: 'N_A', expires_in: 300 };
    } }],
  });

  const target = await startExchangeServer({
    clients: [exchangingClient(atTarget.clientId, atTarget.clientSecret, [jwtBearer])],
    grants: [{ name: jwtBearer, parameters: ['assertion', 'scope'], handle: async (context, giving) => {
      const { assertion = '', scope } = context.oidc.params;
      const { payload } = await jwtVerify(assertion, key.publicKey, { issuer: identityProvider.issuer, audience: giving.issuer, typ: 'oauth-id-jag+jwt' }).catch(() => {
        throw new errors.InvalidGrant('the assertion is not valid');
      });
      if (payload['client_id'] !== context.oidc.client.clientId) throw new errors.InvalidGrant('the assertion is for another client');
      if (seen.has(payload.jti ?? '')) throw new errors.InvalidGrant('the assertion was used before');
      seen.add(payload.jti ?? '');
      const token = await giving.give(context, { subject: payload.sub ?? '', scope, resource: payload['resource'] as string | undefined });
      context.body = { access_token: token, token_type: 'Bearer', expires_in: 600, scope };
    } }],
  });
  known.add(target.issuer);

  return {
    identityProvider: Object.assign(identityProvider, atIdentityProvider),
    target: Object.assign(target, atTarget),
    idToken: (subject, claims = {}) =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', typ: 'JWT' }).setIssuer(identityProvider.issuer).setSubject(subject).setAudience(atIdentityProvider.clientId).setIssuedAt().setExpirationTime('10m').sign(key.privateKey),
    close: async () => {
      await Promise.all([identityProvider.close(), target.close()]);
    },
  };
}
