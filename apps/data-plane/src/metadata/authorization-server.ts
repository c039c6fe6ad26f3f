/** RFC 8414 section 3, and OpenID Connect Discovery section 4. */
export const authorizationServerPaths: ReadonlySet<string> = new Set(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']);

/**
 * The agents' authorization server, for clients of MCP 2025-03-26: they look for it where the MCP server is, without its path.
 * Its endpoints are at the control plane, whose own document says more; what is here has to agree with that one.
 */
export const authorizationServerMetadata = (issuer: string): object => ({
  issuer,
  authorization_endpoint: `${issuer}/oauth/authorize`,
  token_endpoint: `${issuer}/oauth/token`,
  registration_endpoint: `${issuer}/oauth/register`,
  jwks_uri: `${issuer}/oauth/jwks`,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  introspection_endpoint: `${issuer}/oauth/introspect`,
  pushed_authorization_request_endpoint: `${issuer}/oauth/par`,
  response_types_supported: ['code'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
  authorization_response_iss_parameter_supported: true,
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
});
