import { type ClientMetadata, errors } from 'oidc-provider';
import { redirectKind } from './redirect-uri.ts';

/** Metadata that a client sends and that nothing here depends on: bounded, kept, given back. */
export const keptMetadata = ['software_id', 'software_version'] as const;

/** RFC 7523. */
export const assertionGrantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const maxTextLength = 512;
const maxUrlLength = 2_048;
const maxRedirects = 10;
/** Of everything together: strangers have it kept. */
const maxMetadataLength = 8_192;
const maxKeys = 10;
const texts = ['client_name', ...keptMetadata] as const;
const urls = ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'jwks_uri'] as const;

/**
 * What would make requests fail that are fine otherwise, and what would have us fetch things for nobody: scopes are decided per
 * server, subjects are the same for all clients.
 */
const ignored = [
  'scope', 'sector_identifier_uri', 'subject_type', 'default_max_age', 'require_auth_time', 'default_acr_values', 'initiate_login_uri',
  'id_token_signed_response_alg', 'response_modes', 'application_type', 'require_pushed_authorization_requests',
] as const;

/**
 * Brings what a client says of itself (RFC 7591 section 2, client ID metadata documents) into the form that is served: whatever it
 * asks for that there is not is left out, as section 3.2.1 allows.
 * @throws InvalidClientMetadata
 */
export function settleClientMetadata(metadata: Record<string, unknown>): void {
  for (const name of ignored) delete metadata[name];
  if (JSON.stringify(metadata).length > maxMetadataLength) throw new errors.InvalidClientMetadata(`metadata must have at most ${maxMetadataLength} characters`);
  for (const name of texts) checkLength(metadata, name, maxTextLength);
  for (const name of urls) checkLength(metadata, name, maxUrlLength);
  // Whoever is in between would name the client's keys.
  if (typeof metadata['jwks_uri'] === 'string' && URL.parse(metadata['jwks_uri'])?.protocol !== 'https:') throw new errors.InvalidClientMetadata('jwks_uri must be https');
  const { redirect_uris: redirects, jwks, contacts } = metadata as ClientMetadata & { redirect_uris?: unknown; jwks?: { keys?: unknown } };
  if (Array.isArray(redirects)) settleRedirects(metadata, redirects);
  if (Array.isArray(jwks?.keys) && jwks.keys.length > maxKeys) throw new errors.InvalidClientMetadata(`jwks must have at most ${maxKeys} keys`);
  if (Array.isArray(contacts) && contacts.length > 10) throw new errors.InvalidClientMetadata('contacts must be at most 10');
  // A published document can hold no secret, whatever the default is (RFC 7591 section 2).
  if (String(metadata['client_id']).startsWith('https://') && metadata['token_endpoint_auth_method'] === 'client_secret_basic') metadata['token_endpoint_auth_method'] = 'none';
  const responseTypes = metadata['response_types'];
  if (Array.isArray(responseTypes)) metadata['response_types'] = responseTypes.filter((type) => type === 'code');
  // Also for clients that did not ask for it: without, their people would log in every five minutes.
  // Identity providers vouch for clients that authenticate (ID-JAG, client authentication).
  metadata['grant_types'] = ['authorization_code', 'refresh_token', ...(metadata['token_endpoint_auth_method'] === 'none' ? [] : [assertionGrantType])];
}

function settleRedirects(metadata: Record<string, unknown>, redirects: readonly unknown[]): void {
  if (redirects.length > maxRedirects) throw new errors.InvalidClientMetadata(`redirect_uris must be at most ${maxRedirects}`);
  const uris = redirects.filter((uri) => typeof uri === 'string');
  if (uris.some((uri) => uri.length > maxUrlLength)) throw new errors.InvalidClientMetadata(`redirect_uris must have at most ${maxUrlLength} characters each`);
  if (uris.some((uri) => URL.parse(uri)?.username || URL.parse(uri)?.password)) throw new errors.InvalidClientMetadata('redirect_uris must not contain credentials');
  const kinds = uris.map(redirectKind);
  // OAuth 2.1 section 1.5; MCP authorization, communication security.
  if (kinds.includes('insecure')) throw new errors.InvalidClientMetadata('redirect_uris must be https, a loopback address, or a scheme of the application itself');
  // Most clients do not say what they are; where their users are sent back to does, and decides whether the port may vary.
  metadata['application_type'] = kinds.every((kind) => kind === 'web') ? 'web' : 'native';
}

function checkLength(metadata: Readonly<Record<string, unknown>>, name: string, length: number): void {
  const value = metadata[name];
  if (value === undefined) return;
  if (typeof value !== 'string') throw new errors.InvalidClientMetadata(`${name} must be text`);
  if (value.length > length) throw new errors.InvalidClientMetadata(`${name} must have at most ${length} characters`);
}
