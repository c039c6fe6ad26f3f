import { type OAuthClient, requestTokens, type TokenSet } from '@gatehouse/oauth-client';
import type { Secret } from '@gatehouse/sealing';
import { tokenTypes } from './token-types.ts';

export interface TypedToken {
  readonly value: Secret;
  readonly type: string;
}

export interface TokenExchange {
  readonly subject: TypedToken;
  readonly actor?: TypedToken | undefined;
  readonly audience?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly requestedTokenType?: string | undefined;
}

/** RFC 8693 section 2.1: a token for a token. `resource` is the client's. @throws OAuthFailure */
export function exchangeToken(client: OAuthClient, { subject, actor, audience, scopes = [], requestedTokenType }: TokenExchange): Promise<TokenSet> {
  return requestTokens(client, {
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
    parameters: {
      subject_token: subject.value.reveal(),
      subject_token_type: subject.type,
      actor_token: actor?.value.reveal(),
      actor_token_type: actor?.type,
      audience,
      scope: scopes.length === 0 ? undefined : scopes.join(' '),
      requested_token_type: requestedTokenType,
    },
    secrets: actor === undefined ? [subject.value] : [subject.value, actor.value],
    expected: {
      issuedTokenTypes: requestedTokenType === undefined ? [tokenTypes.accessToken, tokenTypes.jwt] : [requestedTokenType],
      isAssertion: requestedTokenType === tokenTypes.idJag,
    },
  });
}
