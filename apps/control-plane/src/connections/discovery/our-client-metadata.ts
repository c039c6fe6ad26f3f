/** Where a provider sends browsers back to: one address for each registration, so that no answer of one is taken for another's (RFC 9700 section 4.4.2). */
export const registrationRedirectUri = (controlPlaneUrl: string, registrationId: string): string => `${controlPlaneUrl}/connect/callback/${registrationId}`;

/** Our client id where a provider reads our metadata from it (OAuth Client ID Metadata Document). */
export const metadataDocumentUrl = (controlPlaneUrl: string, registrationId: string): string => `${controlPlaneUrl}/connect/clients/${registrationId}`;

/** What we say of ourselves (RFC 7591 section 2). */
export const clientMetadata = (controlPlaneUrl: string, registrationId: string, tokenEndpointAuthMethod: string) => ({
  client_name: 'Gatehouse',
  client_uri: controlPlaneUrl,
  redirect_uris: [registrationRedirectUri(controlPlaneUrl, registrationId)],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: tokenEndpointAuthMethod,
  application_type: ['localhost', '127.0.0.1', '[::1]'].includes(new URL(controlPlaneUrl).hostname) ? 'native' : 'web',
});

const privateSuffixes = ['.local', '.internal', '.localhost', '.lan', '.home.arpa'];

/** Whether a provider elsewhere may be able to fetch our metadata, as far as the name of the control plane says. */
export function isPublicName(controlPlaneUrl: string): boolean {
  const { protocol, hostname } = new URL(controlPlaneUrl);
  if (protocol !== 'https:' || hostname.startsWith('[') || /^[\d.]+$/.test(hostname)) return false;
  return hostname.includes('.') && !privateSuffixes.some((suffix) => hostname.endsWith(suffix));
}
