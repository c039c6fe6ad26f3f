/**
 * What clients are told of the agents' authorization server (RFC 8414 section 2, OpenID Connect Discovery section 3). The control plane
 * says it where the issuer is; data planes repeat it for clients of MCP 2025-03-26, which look for it where the MCP server is.
 */
export const authorizationServerMetadata = (issuer: string, registersClients: boolean): Readonly<Record<string, unknown>> => ({
  issuer,
  authorization_endpoint: `${issuer}/oauth/authorize`,
  token_endpoint: `${issuer}/oauth/token`,
  ...(registersClients && { registration_endpoint: `${issuer}/oauth/register` }),
  jwks_uri: `${issuer}/oauth/jwks`,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  introspection_endpoint: `${issuer}/oauth/introspect`,
  pushed_authorization_request_endpoint: `${issuer}/oauth/par`,
  authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
  authorization_response_iss_parameter_supported: true,
  claim_types_supported: ['normal'],
  claims_parameter_supported: false,
  claims_supported: ['sub', 'sid', 'auth_time', 'iss'],
  client_id_metadata_document_supported: true,
  code_challenge_methods_supported: ['S256'],
  grant_types_supported: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
  id_token_signing_alg_values_supported: ['ES256'],
  request_uri_parameter_supported: false,
  response_modes_supported: ['query'],
  response_types_supported: ['code'],
  scopes_supported: ['openid', 'offline_access', 'mcp'],
  subject_types_supported: ['public'],
  token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'],
});
