import type { GuardedFetch } from '@gatehouse/egress';
import { GatewayError, type Problem } from '@gatehouse/errors';
import type { ServerMetadata } from 'openid-client';
import { z } from 'zod';

/** What an issuer answered: its metadata, why that cannot be used with this document, or that it did not answer. */
export type Discovery =
  | { readonly metadata: ServerMetadata }
  | { readonly problems: readonly Problem[] }
  | { readonly unreachable: 'address_refused' | 'no_answer'; readonly cause: unknown };

const endpoint = z.string().max(2048).refine((value) => URL.canParse(value));

/** What a login needs of OpenID Connect Discovery section 3. */
const metadataShape = z.looseObject({
  issuer: z.string().max(2048),
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  jwks_uri: endpoint,
  userinfo_endpoint: endpoint.optional(),
  end_session_endpoint: endpoint.optional(),
  response_types_supported: z.array(z.string()).optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});

const secureNames = ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint'] as const;

/** OpenID Connect Discovery section 4: asks an issuer who it is and what it can. Fails only in the ways that its result names. */
export async function discoverProvider(fetch: GuardedFetch, issuer: string): Promise<Discovery> {
  let text: string;
  try {
    const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, { headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'gatehouse' } });
    if (response.status >= 500 || response.status === 429) throw new Error(`HTTP ${response.status}`);
    text = response.status === 200 ? await response.text() : '';
    if (response.status !== 200) await response.body?.cancel();
  } catch (cause) {
    const isRefused = cause instanceof GatewayError && cause.code === 'upstream_address_refused';
    return { unreachable: isRefused ? 'address_refused' : 'no_answer', cause };
  }
  const parsed = metadataShape.safeParse(jsonOf(text));
  if (!parsed.success) return problem('not_an_issuer', 'has no OpenID Connect discovery document at <issuer>/.well-known/openid-configuration that a login can use');
  return checked(parsed.data, issuer);
}

function checked(metadata: z.output<typeof metadataShape>, issuer: string): Discovery {
  // Section 4.3: identical, not only alike. Else tokens of one issuer could be taken for those of another.
  if (metadata.issuer !== issuer) return problem('issuer_mismatch', `is not what the provider calls itself: ${shown(metadata.issuer)}`);
  const { code_challenge_methods_supported: challenges, response_types_supported: responses } = metadata;
  if (challenges !== undefined && !challenges.includes('S256')) return problem('pkce_not_supported', 'is of a provider that does not support PKCE with S256');
  if (responses !== undefined && !responses.includes('code')) return problem('code_flow_not_supported', 'is of a provider that does not support the authorization code flow');
  const insecure = issuer.startsWith('https:') ? secureNames.find((name) => metadata[name] !== undefined && !metadata[name].startsWith('https:')) : undefined;
  if (insecure !== undefined) return problem('insecure_endpoint', `is of a provider whose ${insecure} is no https URL`);
  return { metadata: metadata as ServerMetadata };
}

const problem = (code: string, detail: string): Discovery => ({ problems: [{ pointer: '/issuer', detail, code }] });

/** An issuer is public; anything else that an address answers is not shown to whoever saves a document. */
const shown = (issuer: string): string => (/^https?:\/\/[\x21-\x7e]{1,200}$/.test(issuer) ? issuer : 'something that is no URL');

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
