/** RFC 8414 section 3, and OpenID Connect Discovery section 4: where clients of MCP 2025-03-26 look, without the path of the MCP server. */
export const authorizationServerPaths: ReadonlySet<string> = new Set(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']);
