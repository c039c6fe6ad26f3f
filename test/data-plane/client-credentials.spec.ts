import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { closeHttpServer, listenOnLoopback } from '../support/listen.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

let upstream: RecordingUpstream;
let provider: Server;
let tokenUrl: string;
let asked: { authorization: string | undefined; body: URLSearchParams }[];
let answer: () => { status?: number; body: object | string };
let dataPlane: InProcessDataPlane;
let names = 0;

const secret = 'the-client-secret-0123456789';

beforeAll(async () => {
  provider = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push({ authorization: request.headers.authorization, body: new URLSearchParams(body) });
      const { status = 200, body: given } = answer();
      response.writeHead(status, { 'content-type': 'application/json' }).end(typeof given === 'string' ? given : JSON.stringify(given));
    });
  });
  tokenUrl = `http://127.0.0.1:${await listenOnLoopback(provider)}/token`;
  // No broker, no control plane: this type needs neither (P30).
  [upstream, dataPlane] = await Promise.all([startRecordingUpstream(), startInProcessDataPlane()]);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), closeHttpServer(provider)]);
});
beforeEach(() => {
  asked = [];
  upstream.requests.length = 0;
  upstream.handle(answerAsMcp);
  answer = () => ({ body: { access_token: `token-${asked.length}`, token_type: 'Bearer', expires_in: 3600 } });
});

/** A client of its own for each case: servers with the same client share its tokens. */
async function publish(appAuth: object = {}): Promise<string> {
  const name = `service-${(names += 1)}`;
  const config = { type: 'oauth-client-credentials', tokenUrl, clientId: name, ...('privateKey' in appAuth ? {} : { clientSecret: secret }), ...appAuth };
  await dataPlane.publish({ name, upstream: { url: upstream.url }, appAuth: config as SpecServer['appAuth'] } as SpecServer);
  return name;
}
const post = (name: string): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) });
const outcomeOf = async (response: Response): Promise<unknown> => [response.status, ((await response.json()) as { error?: { data: { code: string } } }).error?.data.code];
const sentTokens = (): (string | undefined)[] => upstream.requests.map((request) => headerValue(request, 'authorization'));

describe('the gateway’s own token', () => {
  it('is fetched once for all calls, those of one moment too', async () => {
    const name = await publish({ scopes: ['read', 'write'], audience: 'https://api.example', resource: 'https://api.example/v1' });
    expect((await Promise.all([1, 2, 3, 4].map(() => post(name)))).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await post(name);
    expect(sentTokens()).toEqual(Array.from({ length: 5 }, () => 'Bearer token-1'));
    const [request] = asked;
    expect([asked.length, request?.authorization]).toEqual([1, `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`]);
    expect(Object.fromEntries(request?.body ?? [])).toEqual({ grant_type: 'client_credentials', scope: 'read write', audience: 'https://api.example', resource: 'https://api.example/v1' });
  });

  it('is asked for with the secret in the body, where that is wanted', async () => {
    const name = await publish({ clientAuth: 'post' });
    await post(name);
    expect([asked[0]?.authorization, asked[0]?.body.get('client_secret')]).toEqual([undefined, secret]);
  });

  it('is asked for with a signed assertion (RFC 7523 section 2.2)', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const name = await publish({ privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
    expect((await post(name)).status).toBe(200);
    expect(decodeJwt(asked[0]?.body.get('client_assertion') ?? '')).toMatchObject({ iss: name, sub: name, aud: tokenUrl });
  });

  it('is used while the provider is away', async () => {
    answer = () => ({ body: { access_token: `token-${asked.length}`, token_type: 'Bearer', expires_in: '3600' } });
    const name = await publish();
    await post(name);
    answer = () => ({ status: 503, body: '<html>' });
    expect((await post(name)).status).toBe(200);
    expect(sentTokens()).toEqual(['Bearer token-1', 'Bearer token-1']);
  });

  it('that the upstream refuses though it is new is not asked for again with every call', async () => {
    const name = await publish();
    upstream.handle((_request, response) => void response.writeHead(401).end());
    for (let call = 0; call < 3; call += 1) expect(await outcomeOf(await post(name))).toEqual([502, 'upstream_rejected_credentials']);
    expect(asked.length).toBe(1);
  });
});

describe('where there is none', () => {
  it.each<[string, { status?: number; body: object | string }, unknown]>([
    ['a wrong secret', { status: 401, body: { error: 'invalid_client', error_description: `not ${secret}` } }, [502, 'credential_unavailable']],
    ['a scope that is not given', { status: 400, body: { error: 'invalid_scope' } }, [502, 'credential_unavailable']],
    ['a provider that fails', { status: 500, body: '<html>' }, [503, 'provider_unavailable']],
    ['an answer without a token', { body: {} }, [503, 'provider_unavailable']],
  ])('%s: nothing is sent, and the secret is in no log', async (_name, given, expected) => {
    const name = await publish();
    answer = () => given;
    expect(await outcomeOf(await post(name))).toEqual(expected);
    expect(upstream.requests).toEqual([]);
    expect(dataPlane.log.join('\n')).not.toContain(secret);
  });

  it('an address that the gateway may not connect to', async () => {
    const name = await publish({ tokenUrl: 'http://169.254.169.254/token' });
    expect(await outcomeOf(await post(name))).toEqual([502, 'credential_unavailable']);
  });
});
