import { type OAuthClient, requestTokens, type TokenSet } from '@gatehouse/oauth-client';
import type { Secret } from '@gatehouse/sealing';

export interface PresentedAssertion {
  readonly assertion: Secret;
  readonly scopes?: readonly string[] | undefined;
  /** Microsoft Entra's: without it the assertion would be taken for the client's own. */
  readonly onBehalfOf?: boolean | undefined;
}

/** RFC 7523 section 2.1: a JWT as the grant. @throws OAuthFailure */
export function presentAssertion(client: OAuthClient, { assertion, scopes = [], onBehalfOf = false }: PresentedAssertion): Promise<TokenSet> {
  return requestTokens(client, {
    grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    parameters: {
      assertion: assertion.reveal(),
      requested_token_use: onBehalfOf ? 'on_behalf_of' : undefined,
      scope: scopes.length === 0 ? undefined : scopes.join(' '),
    },
    secrets: [assertion],
  });
}
