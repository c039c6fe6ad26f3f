import type { AccessToken, FetchTokens } from '@gatehouse/access-tokens';
import { clientCredentials, discoverTokenUrl, type DPoPKey, type OAuthClient, type TokenSet } from '@gatehouse/oauth-client';
import type { Secret } from '@gatehouse/sealing';
import { clientAuthenticationOf } from './client-fields.ts';
import type { ExchangeConfig } from './exchange-config.ts';
import { exchangeErrorOf, exchangeRefused } from './exchange-error.ts';
import { exchangeToken, type TypedToken } from './exchange-token.ts';
import { forbidsActor } from './may-act.ts';
import { mayShareClient } from './may-share-client.ts';
import { presentAssertion } from './present-assertion.ts';
import { tokenOf } from './token-of.ts';
import { tokenTypes } from './token-types.ts';

/**
 * Exchanges a subject token, as it is configured.
 * @param key that tokens are to be bound to
 * @throws GatewayError token_exchange_refused, provider_unavailable
 */
export async function requestExchange(config: ExchangeConfig, subject: Secret, fetch: FetchTokens, key?: DPoPKey): Promise<AccessToken> {
  try {
    return tokenOf(await request(config, subject, { ...clientOf(config), fetch, dpop: key }), key);
  } catch (error) {
    throw exchangeErrorOf(error);
  }
}

function clientOf({ tokenUrl, clientId, resource, ...secrets }: ExchangeConfig): Omit<OAuthClient, 'fetch'> {
  return { tokenUrl, clientId, authentication: clientAuthenticationOf(secrets), resource };
}

function request(config: ExchangeConfig, subject: Secret, client: OAuthClient): Promise<TokenSet> {
  switch (config.grant ?? 'token-exchange') {
    case 'token-exchange':
      return exchange(config, subject, client);
    case 'jwt-bearer':
      return presentAssertion(client, { assertion: subject, scopes: config.scopes, onBehalfOf: true });
    case 'id-jag':
      return exchangeForAssertion(config, subject, client);
  }
}

async function exchange({ subjectTokenType = tokenTypes.accessToken, requestedTokenType, actor, audience, scopes }: ExchangeConfig, subject: Secret, client: OAuthClient): Promise<TokenSet> {
  const acting = await actorOf(actor, client);
  if (acting !== undefined && forbidsActor(subject, { token: acting.value, clientId: actor === 'client' ? client.clientId : undefined })) {
    throw exchangeRefused('the caller’s token names somebody else who may act for its subject', 'may_act, RFC 8693 section 4.4');
  }
  return exchangeToken(client, { subject: { value: subject, type: subjectTokenType }, actor: acting, audience, scopes, requestedTokenType });
}

async function actorOf(actor: ExchangeConfig['actor'], client: OAuthClient): Promise<TypedToken | undefined> {
  if (actor === undefined) return undefined;
  if (actor !== 'client') return { value: actor.token, type: actor.tokenType ?? tokenTypes.accessToken };
  const { accessToken } = await clientCredentials({ ...client, resource: undefined, dpop: undefined });
  return { value: accessToken, type: tokenTypes.accessToken };
}

/** draft-ietf-oauth-identity-assertion-authz-grant sections 4.3 and 4.4: an assertion of the identity provider, then the target's token for it. */
async function exchangeForAssertion(config: ExchangeConfig, subject: Secret, client: OAuthClient): Promise<TokenSet> {
  const { subjectTokenType = tokenTypes.idToken, audience = '', scopes, target = {} } = config;
  // Where it is presented is found out first: no assertion is made that nobody would take.
  const tokenUrl = target.tokenUrl ?? (await discoverTokenUrl(audience, client.fetch));
  if (target.clientId === undefined && !mayShareClient(config, tokenUrl)) {
    throw exchangeRefused('the client’s secret is shown to no other server than tokenUrl’s', 'give target.clientId and its secret, or a privateKey in place of clientSecret');
  }
  const { accessToken: assertion } = await exchangeToken({ ...client, dpop: undefined }, { subject: { value: subject, type: subjectTokenType }, audience, scopes, requestedTokenType: tokenTypes.idJag });
  const { clientId = client.clientId } = target;
  const authentication = target.clientId === undefined ? client.authentication : clientAuthenticationOf(target);
  return presentAssertion({ tokenUrl, clientId, authentication, issuer: audience, fetch: client.fetch, dpop: client.dpop }, { assertion, scopes });
}
