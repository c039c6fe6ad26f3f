import { describe, expect, test } from 'vitest';
import type { ExpectedToken } from './check-token-type.ts';
import { requestTokens } from './request-tokens.ts';
import { useTokenEndpoint } from './spec-support.ts';

const endpoint = useTokenEndpoint();
const type = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
const request = (expected?: ExpectedToken): Promise<string> =>
  requestTokens(endpoint.client(), { grantType: 'any', parameters: {}, secrets: [], expected }).then(({ accessToken }) => accessToken.reveal(), (failure: { kind: string }) => failure.kind);

const access: ExpectedToken = { issuedTokenTypes: [type('access_token'), type('jwt')] };
const assertion: ExpectedToken = { issuedTokenTypes: [type('id-jag')], isAssertion: true };

describe('RFC 8693 section 2.2.1: the token is the one that was asked for', () => {
  test.each<[string, ExpectedToken | undefined, object, string]>([
    ['an access token', access, { issued_token_type: type('access_token'), token_type: 'Bearer' }, 'A'],
    ['a JWT', access, { issued_token_type: type('jwt'), token_type: 'bearer' }, 'A'],
    ['a bearer’s, of a provider that does not say more', access, { token_type: 'Bearer' }, 'A'],
    ['a refresh token', access, { issued_token_type: type('refresh_token'), token_type: 'N_A' }, 'misconfigured'],
    ['an ID token that is called a bearer’s', access, { issued_token_type: type('id_token'), token_type: 'Bearer' }, 'misconfigured'],
    ['a type that is none', access, { issued_token_type: ['x'], token_type: 'Bearer' }, 'misconfigured'],
    ['no access token', access, { issued_token_type: type('access_token'), token_type: 'N_A' }, 'misconfigured'],
    ['a token that needs a proof', access, { issued_token_type: type('access_token'), token_type: 'DPoP' }, 'misconfigured'],
    ['no access token, though nothing is expected', undefined, { token_type: 'n_a' }, 'misconfigured'],
    ['an ID-JAG', assertion, { issued_token_type: type('id-jag'), token_type: 'N_A' }, 'A'],
    ['an access token in place of an ID-JAG', assertion, { issued_token_type: type('access_token'), token_type: 'Bearer' }, 'misconfigured'],
    ['an ID-JAG that is called a bearer’s', assertion, { issued_token_type: type('id-jag'), token_type: 'Bearer' }, 'misconfigured'],
    ['nothing that says what it is', assertion, { token_type: 'N_A' }, 'misconfigured'],
  ])('%s', async (_name, expected, answer, outcome) => {
    endpoint.answer({ body: JSON.stringify({ access_token: 'A', ...answer }) });
    expect(await request(expected)).toBe(outcome);
  });
});
