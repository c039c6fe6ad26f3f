import { createHmac, createPublicKey } from 'node:crypto';
import { GeneralSign } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forgedClient, type ForgingProvider, startForgingProvider } from '../../../../test/support/forging-provider.ts';
import { startTokenIssuer, type TokenIssuer } from '../../../../test/support/token-issuer.ts';
import { type RegisteredAgent, resourceUrl, useAgents } from '../spec-support/use-agents.ts';
import { publicOrigin } from '../spec-support/use-login.ts';

/** The two places where the control plane believes what an identity provider has signed: the REST API, and assertions at the token endpoint. */
const fixture = useAgents();
let provider: ForgingProvider;
/** Of the provider; where its keys really are, counting who asks. */
let keys: TokenIssuer;
let attacker: TokenIssuer;
let agent: RegisteredAgent;
let serial = 0;

type Json = Readonly<Record<string, unknown>>;
type Place = 'the REST API' | 'the token endpoint';

beforeAll(async () => {
  [provider, keys, attacker] = await Promise.all([startForgingProvider(), startTokenIssuer('RS256'), startTokenIssuer('RS256')]);
  provider.describe({ jwks_uri: keys.jwksUrl });
  const body = { name: 'enterprise', issuer: provider.issuer, ...forgedClient, roles: { admin: ['platform'] } };
  const reply = await fixture.plane.send('POST', '/v1/identity-providers', { body });
  if (reply.status !== 201) throw new Error(reply.text);
  agent = await fixture.register({ token_endpoint_auth_method: 'client_secret_post' });
});
afterAll(() => Promise.all([provider, keys, attacker].map((server) => server?.close())));

const now = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claimsFor = (place: Place): Json =>
  place === 'the REST API'
    ? { iss: provider.issuer, aud: publicOrigin, sub: 'ana', groups: ['platform'], exp: now() + 300 }
    : { iss: provider.issuer, aud: publicOrigin, sub: 'ana', client_id: agent.clientId, resource: resourceUrl('orders'), jti: `jti-${(serial += 1)}`, iat: now(), exp: now() + 300 };
const headerFor = (place: Place): Json => ({ kid: keys.key.kid, typ: place === 'the REST API' ? 'JWT' : 'oauth-id-jag+jwt' });
const good = (place: Place, claims: Json = {}, header: Json = {}): Promise<string> => keys.sign({ ...claimsFor(place), ...claims }, { header: { ...headerFor(place), ...header } });
/** Under the provider's key id, with the attacker's key. */
const forged = (place: Place, header: Json = {}): Promise<string> => attacker.sign(claimsFor(place), { header: { ...headerFor(place), ...header } });
const unsigned = (place: Place, alg: string): string => `${encode({ ...headerFor(place), alg })}.${encode(claimsFor(place))}`;
function hmac(place: Place, secret: string): string {
  const input = unsigned(place, 'HS256');
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
const pem = (): string => createPublicKey({ format: 'jwk', key: keys.key.publicJwk }).export({ format: 'pem', type: 'spki' }) as string;

/** What comes of a token. */
async function answer(place: Place, token: string): Promise<string> {
  if (place === 'the REST API') {
    const { status } = await fixture.plane.send('GET', '/v1/me', { authorization: `Bearer ${token}` });
    // 431: longer than headers may be at all.
    return status === 200 ? 'let in' : status === 401 || status === 431 ? 'refused' : String(status);
  }
  const fields = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: token, client_id: agent.clientId, client_secret: agent.clientSecret ?? '' };
  const { status, body } = await fixture.post('/oauth/token', fields);
  return status === 200 ? 'let in' : body['error'] === 'invalid_grant' ? 'refused' : `${status} ${String(body['error'])}`;
}

describe.each<Place>(['the REST API', 'the token endpoint'])('at %s', (place) => {
  test('a good token is let in, or the rest would say nothing', async () => {
    expect(await answer(place, await good(place))).toBe('let in');
  });

  test.each<[string, () => string | Promise<string>]>([
    ['alg none', () => `${unsigned(place, 'none')}.`],
    ['alg nOnE, with a signature left on', async () => `${unsigned(place, 'nOnE')}.${(await good(place)).split('.')[2]}`],
    ['HMAC with the public key as its secret (PEM)', () => hmac(place, pem())],
    ['HMAC with the public key as its secret (JWK)', () => hmac(place, JSON.stringify(keys.key.publicJwk))],
    ['HMAC with an empty secret', () => hmac(place, '')],
    ['HMAC with the client’s secret (OpenID Connect Core section 10.1)', () => hmac(place, forgedClient.clientSecret)],
    ['another key under the provider’s key id', () => forged(place)],
    ['a key id that is a path', () => forged(place, { kid: '../../../../dev/null' })],
    ['a key id that is SQL', () => forged(place, { kid: "' UNION SELECT 'secret' --" })],
    ['a key id out of a prototype', () => forged(place, { kid: '__proto__' })],
    ['a key set named by the token (jku)', () => forged(place, { jku: attacker.jwksUrl, kid: attacker.key.kid })],
    ['a certificate named by the token (x5u)', () => forged(place, { x5u: `${attacker.url}/certificate` })],
    ['a key in the token (jwk)', () => forged(place, { jwk: attacker.key.publicJwk, kid: undefined })],
    ['a header that it calls critical', () => good(place, {}, { crit: ['unheardOf'], unheardOf: true })],
    ['another payload', async () => (await good(place)).replace(/\..*\./, `.${encode({ ...claimsFor(place), sub: 'root' })}.`)],
    ['more than 16 KiB', () => good(place, { padding: 'x'.repeat(40_000) })],
    ['an issuer that only begins like the provider’s', () => good(place, { iss: `${provider.issuer}/` })],
    ['an issuer that is a list', () => good(place, { iss: [provider.issuer] })],
    ['not valid yet', () => good(place, { nbf: now() + 3_600 })],
    ['two tokens in one', async () => `${await good(place)},${await good(place)}`],
    ['two signatures (JWS JSON)', async () => {
      const both = await new GeneralSign(Buffer.from(JSON.stringify(claimsFor(place))))
        .addSignature(keys.key.privateKey).setProtectedHeader({ alg: 'RS256', ...headerFor(place) })
        .addSignature(attacker.key.privateKey).setProtectedHeader({ alg: 'RS256', kid: 'attackers' })
        .sign();
      return encode(both);
    }],
  ])('%s is refused', async (_name, make) => {
    const asked = attacker.fetches;
    expect(await answer(place, await make())).toBe('refused');
    expect(attacker.fetches).toBe(asked);
  });

  test('a flood of made-up key ids is no flood of requests to the provider', async () => {
    await answer(place, await good(place));
    const asked = keys.fetches;
    const tokens = await Promise.all(Array.from({ length: 60 }, (_, index) => good(place, {}, { kid: `made-up-${index}` })));
    expect(new Set(await Promise.all(tokens.map((token) => answer(place, token))))).toEqual(new Set(['refused']));
    expect(keys.fetches - asked).toBeLessThanOrEqual(1);
  });
});
