import { importJWK, type JWTPayload, jwtVerify } from 'jose';
import { errors } from 'oidc-provider';
import { verifyProof } from './dpop-proof.ts';
import { type ExchangeServer, type ExchangeServerOptions, exchangingClient, type GrantContext, startExchangeServer } from './exchange-server.ts';
import type { TokenIssuer } from './token-issuer.ts';

export interface ExchangeProvider extends ExchangeServer {
  readonly clientId: string;
  readonly clientSecret: string;
}

export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const exchangeParameters = ['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'audience', 'resource', 'scope', 'requested_token_type'];
const jwtTypes = ['urn:ietf:params:oauth:token-type:access_token', 'urn:ietf:params:oauth:token-type:jwt'];
const audiences = ['https://orders.example', 'https://search.example'];

const clientId = 'gatehouse-exchanger';
const clientSecret = 'client-secret-of-the-exchanger-0123456789';

export interface ExchangeProviderOptions extends Pick<ExchangeServerOptions, 'accessTokenSeconds'> {
  /** Tokens are bound to a key, by proofs that have this nonce (RFC 9449 section 8). */
  readonly nonce?: string;
}

/** A real OAuth server that exchanges JWTs of an issuer it trusts for tokens of its own (RFC 8693), for audiences that it knows. */
export async function startExchangeProvider(trusted: TokenIssuer, options: ExchangeProviderOptions = {}): Promise<ExchangeProvider> {
  const server = await startExchangeServer({
    ...options,
    clients: [exchangingClient(clientId, clientSecret, [exchangeGrant, 'client_credentials'])],
    grants: [{ name: exchangeGrant, parameters: exchangeParameters, handle: async (context, giving) => {
      const { params } = context.oidc;
      const subject = await verified(trusted, params['subject_token'], params['subject_token_type']);
      const actor = await actorOf(trusted, context);
      // RFC 8693 section 4.4
      const mayAct = (subject['may_act'] as { sub?: string } | undefined)?.sub;
      if (actor !== undefined && mayAct !== undefined && mayAct !== actor) throw new errors.InvalidGrant('may_act names somebody else');
      const { audience, scope } = params;
      const resource = [params.resource].flat()[0];
      if (audience !== undefined && !audiences.includes(audience)) throw new errors.InvalidTarget('no such audience');
      const key = options.nonce === undefined ? undefined : await provenKey(context, `${giving.issuer}/token`, options.nonce);
      const token = await giving.give(context, { subject: subject.sub ?? '', actor, audience, resource, scope, key });
      context.body = { access_token: token, issued_token_type: jwtTypes[0], token_type: key === undefined ? 'Bearer' : 'DPoP', expires_in: options.accessTokenSeconds ?? 600, scope };
    } }],
  });
  return Object.assign(server, { clientId, clientSecret });
}

/** @throws InvalidGrant, InvalidRequest */
export async function verified(trusted: TokenIssuer, token: string | undefined, type: string | undefined): Promise<JWTPayload> {
  if (token === undefined || !jwtTypes.includes(type ?? '')) throw new errors.InvalidRequest('subject_token or its type is missing or not supported');
  return jwtVerify(token, await importJWK(trusted.key.publicJwk), { issuer: trusted.url }).then(({ payload }) => payload, () => {
    throw new errors.InvalidGrant('the subject token is not valid');
  });
}

/** A client's own token here is opaque; any other is a JWT of the trusted issuer. */
async function actorOf(trusted: TokenIssuer, { oidc: { params, provider, client } }: GrantContext): Promise<string | undefined> {
  const token = params['actor_token'];
  if (token === undefined) return undefined;
  const own = await provider.ClientCredentials.find(token);
  if (own?.isValid === true) return own.clientId === client.clientId ? client.clientId : '';
  return (await verified(trusted, token, params['actor_token_type'])).sub;
}

async function provenKey(context: GrantContext, url: string, wanted: string): Promise<string> {
  const { thumbprint, nonce } = await verifyProof(context.get('DPoP'), { method: 'POST', url }).catch(() => {
    throw new errors.CustomOIDCProviderError('invalid_dpop_proof', 'the proof is missing or not valid');
  });
  if (nonce === wanted) return thumbprint;
  context.set('DPoP-Nonce', wanted);
  throw new errors.CustomOIDCProviderError('use_dpop_nonce', 'the nonce is missing or another');
}
