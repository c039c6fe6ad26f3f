import { plainMessage } from '@gatehouse/config-fields';
import type { Fetch } from '@gatehouse/oauth-client';
import { buildDiscoveryUrls } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { DiscoveryFailure } from './discovery-failure.ts';
import { fetchDocument } from './fetch-document.ts';
import { isSameSite } from './is-same-site.ts';

/** An authorization server as its metadata has it. */
export interface FoundAuthorizationServer {
  readonly issuer: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly revocationUrl?: string | undefined;
  readonly registrationUrl?: string | undefined;
  readonly scopes: readonly string[];
  /** How clients prove who they are; RFC 8414 section 2: basic where it does not say. */
  readonly clientAuths: readonly string[];
  /** It takes the URL of a client's metadata as its client id. */
  readonly takesMetadataDocuments: boolean;
  /** It asks people again where the request says so (`prompt=consent`), as far as it says. */
  readonly takesConsentPrompt: boolean;
  /** RFC 9207 section 3. */
  readonly isIssRequired: boolean;
}

const endpoint = z.url({ protocol: /^https?$/ });
const names = z.array(z.string().max(256)).max(1_000);

/** RFC 8414 section 2, OpenID Connect Discovery section 3. */
const serverMetadata = z.object({
  issuer: z.string(),
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  revocation_endpoint: endpoint.optional().catch(undefined),
  registration_endpoint: endpoint.optional().catch(undefined),
  scopes_supported: names.optional().catch(undefined),
  code_challenge_methods_supported: names.optional(),
  token_endpoint_auth_methods_supported: names.optional(),
  client_id_metadata_document_supported: z.boolean().optional().catch(undefined),
  prompt_values_supported: names.optional().catch(undefined),
  authorization_response_iss_parameter_supported: z.boolean().optional().catch(undefined),
});

/**
 * Reads the metadata of an authorization server, in the order of MCP's specification: RFC 8414, then OpenID Connect, before and after
 * the issuer's path. @throws DiscoveryFailure
 */
export async function findAuthorizationServer(issuer: string, fetch: Fetch): Promise<FoundAuthorizationServer> {
  for (const { url } of buildDiscoveryUrls(issuer)) {
    const document = await fetchDocument(url, fetch);
    if (document !== undefined) return read(document, issuer, url);
  }
  throw new DiscoveryFailure(`the authorization server ${issuer} publishes no metadata`);
}

function read(document: unknown, expected: string, { href }: URL): FoundAuthorizationServer {
  const { success, data, error } = serverMetadata.safeParse(document, { error: plainMessage });
  if (!success) throw new DiscoveryFailure(`the metadata at ${href} is not valid: ${error.issues[0]?.path.join('.')} ${error.issues[0]?.message}`);
  const { issuer, authorization_endpoint: authorizationUrl, token_endpoint: tokenUrl, ...rest } = data;
  // RFC 8414 section 3.3. Of an issuer with and without its last slash the metadata is at the same place.
  if (issuer !== expected && withoutSlash(issuer) !== withoutSlash(expected)) throw new DiscoveryFailure(`the metadata at ${href} is of another issuer, ${issuer}`);
  // Whoever does not say that they check it cannot be relied on to (MCP authorization, RFC 9700 section 2.1.1).
  if (rest.code_challenge_methods_supported?.includes('S256') !== true) throw new DiscoveryFailure(`the authorization server ${issuer} does not support PKCE with S256`);
  const plain = [authorizationUrl, tokenUrl].find((url) => url.startsWith('http:'));
  if (plain !== undefined && issuer.startsWith('https:')) throw new DiscoveryFailure(`${plain} is not https`);
  const isIssRequired = rest.authorization_response_iss_parameter_supported === true;
  // Mix-up (RFC 9700 section 4.4): whoever names another's authorization endpoint and a token endpoint of their own would get its codes.
  // Where answers name their issuer, that other's do not pass as this one's.
  if (!isIssRequired && !isSameSite(authorizationUrl, tokenUrl)) {
    throw new DiscoveryFailure(`the authorization server ${issuer} has its endpoints at different sites, ${new URL(authorizationUrl).host} and ${new URL(tokenUrl).host}, and does not say that its answers name it (iss)`);
  }
  return {
    issuer, authorizationUrl, tokenUrl,
    ...(rest.revocation_endpoint !== undefined && { revocationUrl: rest.revocation_endpoint }),
    ...(rest.registration_endpoint !== undefined && { registrationUrl: rest.registration_endpoint }),
    scopes: rest.scopes_supported ?? [],
    clientAuths: rest.token_endpoint_auth_methods_supported ?? ['client_secret_basic'],
    takesMetadataDocuments: rest.client_id_metadata_document_supported === true,
    takesConsentPrompt: rest.prompt_values_supported?.includes('consent') ?? true,
    isIssRequired,
  };
}

const withoutSlash = (url: string): string => url.replace(/\/$/, '');
