import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import { allowInsecureRequests, Configuration, customFetch, genericGrantRequest, type ServerMetadata } from 'openid-client';
import { checkTokenType, type ExpectedToken, isBoundType } from './check-token-type.ts';
import { clientAuthenticationOf } from './client-authentication.ts';
import { failureOf } from './failure-of.ts';
import type { OAuthClient } from './oauth-client.ts';
import { OAuthFailure } from './oauth-failure.ts';
import { patientTimeout } from './patient-timeout.ts';
import { type Answer, readAnswer } from './read-answer.ts';
import type { TokenSet } from './token-set.ts';
import { tokenSetOf } from './token-set-of.ts';

export const defaultTimeoutMs = 7_000;

export interface GrantRequest {
  readonly grantType: string;
  readonly parameters: Readonly<Record<string, string | undefined>>;
  /** What of it is secret besides the client's own: no message repeats it. */
  readonly secrets: readonly Secret[];
  /** A bearer's access token when absent. */
  readonly expected?: ExpectedToken | undefined;
}

/** Asks a token endpoint (RFC 6749). openid-client makes the request and says who we are; what comes back is read here, because it takes many forms. @throws OAuthFailure */
export async function requestTokens(client: OAuthClient, request: GrantRequest): Promise<TokenSet> {
  try {
    return await requestOnce(client, request);
  } catch (error) {
    // RFC 9449 section 8: it has refused before acting, and the nonce that it wants is known by now.
    if (client.dpop === undefined || !(error instanceof OAuthFailure) || error.error !== 'use_dpop_nonce') throw error;
    return requestOnce(client, request);
  }
}

async function requestOnce(client: OAuthClient, { grantType, parameters, secrets, expected }: GrantRequest): Promise<TokenSet> {
  const sent = [...secrets, ...secretsOf(client)];
  const all = { ...client.tokenParameters, ...(client.resource !== undefined && { resource: client.resource }), ...parameters };
  const present = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  let tokens: TokenSet | undefined;
  const configuration = configurationOf(client, async (response) => {
    tokens = acceptTokens(client, await readAnswer(response), sent, expected);
    // Nothing is left for it to find odd.
    return Response.json({ access_token: 'read', token_type: 'bearer' });
  });
  await genericGrantRequest(configuration, grantType, Object.fromEntries(present)).catch((error: unknown) => {
    throw asFailure(error);
  });
  return tokens as TokenSet;
}

function acceptTokens({ tokensAt, dpop }: OAuthClient, answer: Answer, sent: readonly Secret[], expected: ExpectedToken | undefined): TokenSet {
  const { status, fields } = answer;
  // An error may come with a status of success: GitHub and Slack do that.
  const tokens = status >= 200 && status < 300 && fields ? tokenSetOf(fields, tokensAt, Date.now()) : undefined;
  if (!tokens || !fields) throw failureOf(answer, sent);
  checkTokenType(fields, status, dpop !== undefined, expected);
  return isBoundType(fields['token_type']) ? { ...tokens, isBound: true } : tokens;
}

/** openid-client for one provider, whose answers go through `read` first. */
export function configurationOf(client: OAuthClient, read: (response: Response) => Promise<Response>): Configuration {
  const { tokenUrl, revocationUrl, issuer = tokenUrl } = client;
  const metadata: ServerMetadata = { issuer, token_endpoint: tokenUrl, ...(revocationUrl !== undefined && { revocation_endpoint: revocationUrl }) };
  const configuration = new Configuration(metadata, client.clientId, undefined, clientAuthenticationOf(client));
  configuration[customFetch] = async (url, { method, headers, body }) => read(await send(client, url, { method, headers: new Headers(headers), body: body as URLSearchParams }));
  // Ours counts for the answer too.
  configuration.timeout = 0;
  // Whether plain http goes anywhere is the guard's to say.
  allowInsecureRequests(configuration);
  return configuration;
}

interface Outgoing {
  readonly method: string;
  readonly headers: Headers;
  readonly body: URLSearchParams;
}

async function send({ fetch, timeoutMs = defaultTimeoutMs, tokenUrl, tokenRequest, dpop }: OAuthClient, url: string, { method, headers, body }: Outgoing): Promise<Response> {
  const isJson = tokenRequest === 'json' && url === new URL(tokenUrl).href;
  if (isJson) headers.set('Content-Type', 'application/json');
  if (dpop !== undefined) headers.set('DPoP', dpop.proofOf({ method, url }));
  const text = isJson ? JSON.stringify(Object.fromEntries(body)) : body.toString();
  const { signal, clear } = patientTimeout(timeoutMs);
  try {
    const response = await fetch(url, { method, headers, body: text, redirect: 'manual', signal });
    const nonce = response.headers.get('dpop-nonce');
    if (nonce !== null) dpop?.learn(url, nonce);
    // Read while the timeout still counts.
    return new Response(response.body && (await response.arrayBuffer()), { status: response.status });
  } finally {
    clear();
  }
}

/** What of a client's own no message repeats, and what its secret is sent as by RFC 6749 section 2.3.1, where it is within something longer. */
export function secretsOf({ clientId, authentication }: OAuthClient): Secret[] {
  if (authentication.method === 'none') return [];
  if (authentication.method === 'private-key-jwt') return [authentication.key];
  const { secret } = authentication;
  return [secret, new Secret(`${clientId}:${secret.reveal()}`), new Secret(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret.reveal())}`)];
}

/** No connection came about, or none was allowed: nothing was sent. */
const unsent = new Set(['upstream_unreachable', 'upstream_address_refused', 'upstream_circuit_open', 'upstream_busy']);

/** Whatever was thrown on the way, as a failure. */
export function asFailure(thrown: unknown): OAuthFailure {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof OAuthFailure) return error;
    if (error instanceof GatewayError) {
      const { code } = error;
      const kind = code === 'upstream_address_refused' || code === 'upstream_redirected' ? 'misconfigured' : 'unavailable';
      return new OAuthFailure(kind, `${code}${error.detail === undefined ? '' : ` (${error.detail})`}`, { mayHaveActed: !unsent.has(code), cause: error });
    }
  }
  const isTimeout = thrown instanceof Error && [thrown.name, (thrown.cause as Error | undefined)?.name].includes('TimeoutError');
  return new OAuthFailure('unavailable', isTimeout ? 'no answer in time' : 'no answer', { mayHaveActed: true, cause: thrown });
}
