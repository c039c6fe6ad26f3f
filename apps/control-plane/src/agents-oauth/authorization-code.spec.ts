import { createRemoteJWKSet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { authorizationRequest, authorize, codeGrant, codeOf, resourceUrl, useAgents } from '../spec-support/use-agents.ts';
import { ana, publicOrigin } from '../spec-support/use-login.ts';
import { textClaims } from './access-token-claims.ts';

const fixture = useAgents();

test('from a registration to a token: consent, login, code', async () => {
  const agent = await fixture.register();
  const request = authorizationRequest(agent);
  const page = await authorize(fixture.browser(), request);
  expect(page.url.origin + page.url.pathname).toBe('https://client.example/callback');
  expect(Object.fromEntries(page.url.searchParams)).toEqual({ code: expect.any(String) as string, state: request.state, iss: publicOrigin });
  const { status, headers, body } = await fixture.post('/oauth/token', codeGrant(agent, codeOf(page), request.verifier));
  expect([status, headers.get('cache-control'), body]).toMatchObject([200, 'no-store', { token_type: 'Bearer', expires_in: 300, scope: 'mcp', refresh_token: expect.any(String) as string }]);
  const { payload, protectedHeader } = await jwtVerify(String(body['access_token']), createRemoteJWKSet(new URL('/oauth/jwks', fixture.plane.url)));
  expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
  const [person] = await fixture.query<{ id: string }>('select id from people');
  const [grant] = await fixture.query<{ id: string }>('select id from oauth_grants');
  expect(payload).toEqual({
    iss: publicOrigin, aud: resourceUrl('orders'), sub: person?.id, client_id: agent.clientId, scope: 'mcp', grant: grant?.id, idp: 'corp',
    name: ana.name, email: ana.email, groups: [...ana.groups], iat: expect.any(Number) as number, exp: Number(payload.iat) + 300, jti: expect.any(String) as string,
  });
  expect(new Set(Object.keys(payload).filter((claim) => !Array.isArray(payload[claim])))).toEqual(textClaims);
});
