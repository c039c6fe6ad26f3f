import type { AccessToken, FetchTokens, RefusedToken } from '@gatehouse/access-tokens';
import { GatewayError } from '@gatehouse/errors';
import { type DPoPKey, type OAuthClient, OAuthFailure, type TokenSet } from '@gatehouse/oauth-client';
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

/** What an exchange needs besides its configuration and the subject. */
export interface ExchangeMeans {
  readonly fetch: FetchTokens;
  /** That tokens are to be bound to. */
  readonly key?: DPoPKey | undefined;
  /** The token of the gateway's own client, where that is who acts. */
  readonly ownToken: (refused?: RefusedToken) => AccessToken | Promise<AccessToken>;
  /** Where the authorization server at the audience gives tokens. */
  readonly targetTokenUrl: (fetch: FetchTokens) => Promise<string>;
}

/**
 * Exchanges a subject token, as it is configured.
 * @throws GatewayError token_exchange_refused, provider_unavailable
 */
export async function requestExchange(config: ExchangeConfig, subject: Secret, means: ExchangeMeans): Promise<AccessToken> {
  const { fetch, key } = means;
  try {
    return tokenOf(await request(config, subject, { ...clientOf(config), fetch, dpop: key }, means), key);
  } catch (error) {
    throw exchangeErrorOf(error);
  }
}

function clientOf({ tokenUrl, clientId, resource, ...secrets }: ExchangeConfig): Omit<OAuthClient, 'fetch'> {
  return { tokenUrl, clientId, authentication: clientAuthenticationOf(secrets), resource };
}

function request(config: ExchangeConfig, subject: Secret, client: OAuthClient, means: ExchangeMeans): Promise<TokenSet> {
  switch (config.grant ?? 'token-exchange') {
    case 'token-exchange':
      return exchange(config, subject, client, means);
    case 'jwt-bearer':
      return presentAssertion(client, { assertion: subject, scopes: config.scopes, onBehalfOf: true });
    case 'id-jag':
      return exchangeForAssertion(config, subject, client, means);
  }
}

async function exchange(config: ExchangeConfig, subject: Secret, client: OAuthClient, { ownToken }: ExchangeMeans): Promise<TokenSet> {
  const { actor } = config;
  if (actor === undefined) return exchangeFor(config, subject, client);
  if (actor !== 'client') return exchangeFor(config, subject, client, { value: actor.token, type: actor.tokenType ?? tokenTypes.accessToken });
  const own = await ownTokenOf(ownToken);
  try {
    return await exchangeFor(config, subject, client, { value: own.value, type: tokenTypes.accessToken });
  } catch (error) {
    if (!mayMeanActor(error)) throw error;
    const another = await ownTokenOf(ownToken, { token: own, again: false }).catch(() => own);
    if (another.value.reveal() === own.value.reveal()) throw error;
    return exchangeFor(config, subject, client, { value: another.value, type: tokenTypes.accessToken });
  }
}

async function exchangeFor({ subjectTokenType = tokenTypes.accessToken, requestedTokenType, actor, audience, scopes }: ExchangeConfig, subject: Secret, client: OAuthClient, acting?: TypedToken): Promise<TokenSet> {
  if (acting !== undefined && forbidsActor(subject, { token: acting.value, clientId: actor === 'client' ? client.clientId : undefined })) {
    throw exchangeRefused('the caller’s token names somebody else who may act for its subject', 'may_act, RFC 8693 section 4.4');
  }
  return exchangeToken(client, { subject: { value: subject, type: subjectTokenType }, actor: acting, audience, scopes, requestedTokenType });
}

/** Of a provider that refuses our client it is said in the same way, whatever it was asked for. */
async function ownTokenOf(ownToken: ExchangeMeans['ownToken'], refused?: RefusedToken): Promise<AccessToken> {
  try {
    return await ownToken(refused);
  } catch (error) {
    throw error instanceof GatewayError && error.cause instanceof OAuthFailure ? error.cause : error;
  }
}

/** RFC 8693 section 2.2.2: a provider does not say which of the two tokens it means. */
const mayMeanActor = (error: unknown): boolean => error instanceof OAuthFailure && (error.error === 'invalid_request' || error.error === 'invalid_grant');

/** draft-ietf-oauth-identity-assertion-authz-grant sections 4.3 and 4.4: an assertion of the identity provider, then the target's token for it. */
async function exchangeForAssertion(config: ExchangeConfig, subject: Secret, client: OAuthClient, { targetTokenUrl }: ExchangeMeans): Promise<TokenSet> {
  const { subjectTokenType = tokenTypes.idToken, audience = '', scopes, target = {} } = config;
  // Where it is presented is found out first: no assertion is made that nobody would take.
  const tokenUrl = target.tokenUrl ?? (await targetTokenUrl(client.fetch));
  if (target.clientId === undefined && !mayShareClient(config, tokenUrl)) {
    throw exchangeRefused('the client’s secret is shown to no other server than tokenUrl’s', 'give target.clientId and its secret, or a privateKey in place of clientSecret');
  }
  const { accessToken: assertion } = await exchangeToken({ ...client, dpop: undefined }, { subject: { value: subject, type: subjectTokenType }, audience, scopes, requestedTokenType: tokenTypes.idJag });
  const { clientId = client.clientId } = target;
  const authentication = target.clientId === undefined ? client.authentication : clientAuthenticationOf(target);
  return presentAssertion({ tokenUrl, clientId, authentication, issuer: audience, fetch: client.fetch, dpop: client.dpop }, { assertion, scopes });
}
