/** RFC 8693 section 3. */
export const tokenTypes = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
  /** draft-ietf-oauth-identity-assertion-authz-grant section 3. */
  idJag: 'urn:ietf:params:oauth:token-type:id-jag',
} as const;
