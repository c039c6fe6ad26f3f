import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { TokenAnswer } from '@gatehouse/access-tokens';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { type InProcessDataPlane, type SpecServer, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { closeHttpServer, listenOnLoopback } from '../support/listen.ts';
import { type RawReply, rawRequest } from '../support/raw-request.ts';
import { headerPairs, headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type Sigv4Account, startSigv4Gate } from '../support/sigv4-gate.ts';
import { startSpecBroker, type SpecBroker } from '../support/token-broker.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import { startUntouchedServer, type UntouchedServer } from '../support/untouched-server.ts';

/* Direct calls of an API carry what its tools carry, and nothing else: the promises about headers and credentials, for /api. */

let upstream: RecordingUpstream;
let other: UntouchedServer;
let issuer: TokenIssuer;
let broker: SpecBroker;
let dataPlane: InProcessDataPlane;
let tokens: Server;
let tokenUrl: string;
let issued = 0;
let names = 0;

beforeAll(async () => {
  [upstream, other, issuer, broker] = await Promise.all([startRecordingUpstream(), startUntouchedServer(), startTokenIssuer(), startSpecBroker()]);
  tokens = createServer((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: `token-${(issued += 1)}`, token_type: 'Bearer', expires_in: 3600 })));
  tokenUrl = `http://127.0.0.1:${await listenOnLoopback(tokens)}/token`;
  dataPlane = await startPublicDataPlane({ ...broker.environment, GATEHOUSE_MAX_BODY_BYTES: '2000', GATEHOUSE_CONNECTIONS_PER_ORIGIN: '1' });
  await dataPlane.publishAuthorizationServer(issuer);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), other.close(), issuer.close(), broker.close(), closeHttpServer(tokens)]);
});
const accept = (response: { writeHead: (status: number) => { end: (body: string) => unknown } }): void => void response.writeHead(200).end('done');
beforeEach(() => {
  upstream.requests.length = 0;
  issued = 0;
  upstream.handle((_request, response) => accept(response));
});

async function serve(more: Partial<SpecServer> = {}): Promise<string> {
  const name = `api-${(names += 1)}`;
  await dataPlane.publish({ name, type: 'api', tools: { operations: [] }, upstream: { url: `${upstream.origin}/base` }, ...more });
  return name;
}

interface Sent {
  readonly path?: string;
  readonly body?: string;
  readonly chunked?: boolean;
}
function send(name: string, method: string, lines: readonly string[] = [], { path = '/items', body = '', chunked = false }: Sent = {}): Promise<RawReply> {
  const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${Buffer.byteLength(body, 'latin1')}`;
  const framed = chunked ? `${Buffer.byteLength(body, 'latin1').toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
  const head = [`${method} /api/default/${name}${path} HTTP/1.1`, `Host: ${new URL(dataPlane.url).host}`, ...(body === '' ? [] : [framing]), ...lines, 'Connection: close'];
  return rawRequest(dataPlane.url, head, framed);
}
const framing = /^(?:host|connection|content-length|transfer-encoding|user-agent)$/i;
const own = (request: RecordedRequest | undefined): string[] => headerPairs(request as RecordedRequest).filter(([name]) => !framing.test(name)).map(([name, value]) => `${name}: ${value}`);
const problem = ({ body }: RawReply): { status?: number; code?: string; connectUrl?: string; redirectOrigin?: string } => JSON.parse(body.replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, '')) as object;
const sentTokens = (): (string | undefined)[] => upstream.requests.map((request) => headerValue(request, 'authorization'));

const theirs = ['x-TENANT: acme', 'Authorization: Bearer theirs', 'Cookie: session=1', 'X-Internal-Id: 7', 'X-Request-Id: r-1'];

describe('P1 the caller’s headers reach an API by /api, and the body is not touched', () => {
  const json = '{"a" :1e400, "b":"\\u00fc"}\n';

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])('%s: all that are eligible, in their spelling', async (method) => {
    const name = await serve({ appAuth: { type: 'passthrough' }, headerPolicy: { mode: 'all', restricted: ['x-internal-*'] } });
    expect((await send(name, method, [...theirs, 'Content-Type: application/json'], { body: json })).status).toBe(200);
    const [request] = upstream.requests;
    expect(own(request).toSorted()).toEqual(['Authorization: Bearer theirs', 'Content-Type: application/json', 'X-Request-Id: r-1', 'x-TENANT: acme']);
    expect(request?.body.toString('latin1')).toBe(json);
  });

  it('mappings, a list, and nothing without a policy', async () => {
    const policies: [SpecServer['headerPolicy'], string[]][] = [
      [{ mode: 'mappings', mappings: [{ source: 'X-Tenant', target: 'X-Org' }, { source: 'x-request-id' }] }, ['X-Org: acme', 'x-request-id: r-1']],
      [{ mode: 'list', list: ['X-Tenant'] }, ['X-Tenant: acme']],
      [undefined, []],
    ];
    for (const [headerPolicy, expected] of policies) {
      upstream.requests.length = 0;
      await send(await serve(headerPolicy === undefined ? {} : { headerPolicy }), 'GET', theirs);
      expect(own(upstream.requests[0])).toEqual(expected);
    }
  });

  it('what goes with a body that is passed on as it comes is the same', async () => {
    const name = await serve({ appAuth: { type: 'bearer', token: 'stored' }, headerPolicy: { mode: 'list', list: ['X-Tenant'] }, outboundHeaders: [{ name: 'X-Service', source: { type: 'static', value: 'fixed' } }] });
    expect((await send(name, 'PUT', theirs, { body: 'x'.repeat(5_000) })).status).toBe(200);
    expect((await send(name, 'PUT', theirs, { body: 'x'.repeat(50), chunked: true })).status).toBe(200);
    expect(upstream.requests.map((request) => [own(request), request.body.length])).toEqual([5_000, 50].map((length) => [['X-Tenant: acme', 'Authorization: Bearer stored', 'X-Service: fixed'], length]));
  });
});

describe('P4 headers and credentials go to the configured URL only, by /api too', () => {
  const everything: Partial<SpecServer> = { appAuth: { type: 'api-key', name: 'X-Key', in: 'header', value: 'stored-k3y' }, headerPolicy: { mode: 'all' }, outboundHeaders: [{ name: 'X-Service', source: { type: 'static', value: 'fixed' } }] };

  it.each([['POST', 307], ['PUT', 308], ['GET', 302]])('a redirect of a %s (%i) within the configured path is followed, with all of them', async (method, status) => {
    const name = await serve(everything);
    upstream.handle(({ url }, response) => (url === '/base/items' ? void response.writeHead(status, { location: '/base/v2?x=1' }).end() : accept(response)));
    expect((await send(name, method, ['X-Tenant: acme'], { body: 'body' })).status).toBe(200);
    expect(upstream.requests.map((request) => [request.method, request.url, own(request), request.body.toString()])).toEqual(
      ['/base/items', '/base/v2?x=1'].map((url) => [method, url, ['X-Tenant: acme', 'X-Key: stored-k3y', 'X-Service: fixed'], 'body']),
    );
  });

  it.each([['another port', () => `${other.origin}/base`], ['out of the base path', () => `${upstream.origin}/other`], ['up and out', () => '../other']])('one to %s is not: the caller is told the origin, and nothing reaches it', async (_, location) => {
    const name = await serve(everything);
    upstream.handle((_request, response) => void response.writeHead(307, { location: location() }).end());
    expect(problem(await send(name, 'POST', ['X-Tenant: acme'], { body: 'body' }))).toMatchObject({ status: 502, code: 'upstream_redirected', redirectOrigin: new URL(location(), upstream.origin).origin });
    expect([upstream.requests.length, other.connections]).toEqual([1, 0]);
  });

  it('one of a body that was passed on as it came is not', async () => {
    const name = await serve(everything);
    upstream.handle((_request, response) => void response.writeHead(307, { location: '/base/v2' }).end());
    expect(problem(await send(name, 'POST', [], { body: 'body', chunked: true }))).toMatchObject({ status: 502, code: 'upstream_redirected' });
    expect(upstream.requests).toHaveLength(1);
  });

  it.each(['//127.0.0.1:1/', '/..//127.0.0.1:1/', '/%2e%2e/other', '/\\127.0.0.1:1/', '/@127.0.0.1:1/'])('a path like %s goes nowhere else', async (path) => {
    const reply = await send(await serve(everything), 'GET', [], { path });
    if (reply.status === 200) expect(upstream.requests[0]?.url.startsWith('/base/')).toBe(true);
    else expect([problem(reply).code, upstream.requests.length]).toEqual(['invalid_path', 0]);
  });
});

describe('P22 an API has the authentication that it is configured with, by /api too', () => {
  it.each<[string, SpecServer['appAuth'], string, string[]]>([
    ['none', { type: 'none' }, '/base/items?a=1', []],
    ['an API key in a header', { type: 'api-key', name: 'X-Key', in: 'header', value: 'k1' }, '/base/items?a=1', ['X-Key: k1']],
    ['an API key in the query', { type: 'api-key', name: 'key', in: 'query', value: 'k 1' }, '/base/items?a=1&key=k%201', []],
    ['bearer', { type: 'bearer', token: 't1' }, '/base/items?a=1', ['Authorization: Bearer t1']],
    ['basic', { type: 'basic', username: 'u', password: 'p' }, '/base/items?a=1', [`Authorization: Basic ${Buffer.from('u:p').toString('base64')}`]],
    ['headers', { type: 'custom-headers', headers: [{ name: 'X-One', value: '1' }, { name: 'X-Two', value: '2' }] }, '/base/items?a=1', ['X-One: 1', 'X-Two: 2']],
  ])('%s', async (_, appAuth, url, expected) => {
    const name = await serve({ ...(appAuth && { appAuth }), headerPolicy: { mode: 'all' } });
    const forged = ['Authorization: Bearer forged', 'X-Key: forged', 'X_Key: forged', 'X-One: forged'].filter((line) => expected.some((header) => header.split(':')[0]?.replace('-', '_') === line.split(':')[0]?.replace('-', '_')));
    expect((await send(name, 'GET', forged, { path: '/items?a=1&key=forged'.replace(url.includes('key') ? '' : '&key=forged', '') })).status).toBe(200);
    expect([upstream.requests[0]?.url, own(upstream.requests[0])]).toEqual([url, expected]);
  });

  it('OAuth client credentials: one token of the gateway’s own for all calls', async () => {
    const name = await serve({ appAuth: { type: 'oauth-client-credentials', tokenUrl, clientId: `client-${names}`, clientSecret: 'a-secret' } });
    for (let call = 0; call < 2; call += 1) expect((await send(name, 'POST', [], { body: 'one' })).status).toBe(200);
    expect(sentTokens()).toEqual(['Bearer token-1', 'Bearer token-1']);
  });

  const account: Sigv4Account = { region: 'eu-central-1', service: 'execute-api', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: randomBytes(30).toString('base64') };

  it.each([
    ['GET', '/items', ''],
    ['GET', "/a%20b/%C3%BC/(f)'!*;v=1?b=2&a=1%202&a=&c&e=%2B", ''],
    ['DELETE', '', 'with a body'],
    ['PUT', '/items/7', String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte))],
  ])('AWS Signature Version 4 of %s %s, verified from what arrives', async (method, path, body) => {
    const gate = await startSigv4Gate(account, upstream.origin);
    const name = await serve({ upstream: { url: `${gate.origin}/base?v=1` }, appAuth: { type: 'aws-sigv4', ...account }, headerPolicy: { mode: 'all' } });
    const reply = await send(name, method, ['Content-Type: a/b', 'If-Match: "a"', 'X-Tenant: acme', 'X-Amz-Date: forged', 'Authorization: forged'], { path, body });
    expect([reply.status, gate.admitted.length, gate.refused.length]).toEqual([200, 1, 0]);
    expect(gate.admitted[0]?.signedHeaders).toEqual(expect.arrayContaining(['content-type', 'host', 'if-match', 'x-amz-content-sha256', 'x-amz-date', 'x-tenant']));
    expect(gate.admitted[0]?.body.toString('latin1')).toBe(body);
    await gate.close();
  });

  it('what is signed is held as a whole, in chunks too; what is too large for that is refused before anything is sent', async () => {
    const gate = await startSigv4Gate(account, upstream.origin);
    const name = await serve({ upstream: { url: `${gate.origin}/base` }, appAuth: { type: 'aws-sigv4', ...account } });
    expect((await send(name, 'PUT', [], { body: 'chunked', chunked: true })).status).toBe(200);
    expect(gate.admitted[0]?.body.toString()).toBe('chunked');
    for (const chunked of [true, false]) expect(problem(await send(name, 'PUT', [], { body: 'x'.repeat(3_000), chunked }))).toMatchObject({ status: 413, code: 'body_too_large' });
    expect([gate.admitted.length, gate.refused.length]).toEqual([1, 0]);
    await gate.close();
  });
});

describe('P23 the caller’s own Authorization reaches an API', () => {
  it('where both authentications are pass-through, and there alone', async () => {
    const servers: [Partial<SpecServer>, string | undefined][] = [
      [{ appAuth: { type: 'passthrough' } }, 'Bearer theirs'],
      [{ appAuth: { type: 'none' }, headerPolicy: { mode: 'all' } }, undefined],
      [{ appAuth: { type: 'bearer', token: 'stored' }, headerPolicy: { mode: 'all' } }, 'Bearer stored'],
    ];
    for (const [more, expected] of servers) {
      upstream.requests.length = 0;
      await send(await serve(more), 'GET', theirs);
      expect(sentTokens()).toEqual([expected]);
    }
  });

  it('the token that a caller has for the gateway never does (D2)', async () => {
    const name = await serve({ agentAuth: { type: 'interactive' }, appAuth: { type: 'passthrough' }, headerPolicy: { mode: 'all' } });
    const token = await signAccessToken(issuer, `${dataPlane.url}/mcp/default/${name}`);
    expect((await send(name, 'GET', [`Authorization: Bearer ${token}`])).status).toBe(200);
    expect(JSON.stringify(upstream.requests[0]?.rawHeaders)).not.toContain(token);
  });

  it('and what the API says about it goes back as it is', async () => {
    upstream.handle((_request, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer realm="theirs"' }).end('no'));
    const reply = await send(await serve({ appAuth: { type: 'passthrough' } }), 'GET', theirs);
    expect([reply.status, /www-authenticate: (.*)/i.exec(reply.head)?.[1]]).toEqual([401, 'Bearer realm="theirs"']);
  });
});

describe('who calls', () => {
  it('is asked for as at the server’s MCP endpoint: a token for that is good here', async () => {
    const name = await serve({ agentAuth: { type: 'interactive' } });
    const refused = await send(name, 'GET');
    expect([refused.status, problem(refused).code, refused.head]).toEqual([401, 'unauthenticated', expect.stringContaining(`/.well-known/oauth-protected-resource/mcp/default/${name}`)]);
    const token = await signAccessToken(issuer, `${dataPlane.url}/mcp/default/${name}`);
    expect((await send(name, 'GET', [`Authorization: Bearer ${token}`])).status).toBe(200);
    const ofAnother = await signAccessToken(issuer, `${dataPlane.url}/mcp/default/another`);
    expect((await send(name, 'GET', [`Authorization: Bearer ${ofAnother}`])).status).toBe(401);
  });

  it('may be a service account; who may call is the server’s to say', async () => {
    const serviceAccount = `ci-${names}`;
    const [key, foreign] = [await dataPlane.addServiceAccount(serviceAccount), await dataPlane.addServiceAccount(`other-${names}`)];
    const name = await serve({ agentAuth: { type: 'api-key' }, access: { allow: [{ serviceAccount }] } });
    expect((await send(name, 'GET', [`X-Gatehouse-Key: ${key}`])).status).toBe(200);
    expect(problem(await send(name, 'GET', [`X-Gatehouse-Key: ${foreign}`]))).toMatchObject({ status: 403, code: 'forbidden' });
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('accounts that people connect', () => {
  const link = { connectUrl: 'https://gatehouse.example/connect/sealed-link', linkId: 'link-1', owner: 'app-1', app: 'GitHub', reason: 'not_connected' } as const;
  const people = (connected: readonly string[]): void =>
    broker.answer(({ subject, refused }): TokenAnswer => {
      const { person } = subject as { person: string };
      if (!connected.includes(person)) return { status: 'connect_required', ...link };
      return { status: 'token', accessToken: `token-of-${person}${refused === undefined ? '' : '-renewed'}`, connection: `connection-${person}`, owner: 'app-1', person };
    });
  const serveConnected = (): Promise<string> => serve({ agentAuth: { type: 'interactive' }, appAuth: { type: 'oauth-authorization-code', app: 'github' } });
  const authorization = async (name: string, { sub }: { sub: string }): Promise<string> => `Authorization: Bearer ${await signAccessToken(issuer, `${dataPlane.url}/mcp/default/${name}`, sub === ana.sub ? ana : ben)}`;

  it('who has none is told where, and nothing is sent; everyone else calls as themselves (D10)', async () => {
    const name = await serveConnected();
    people([ben.sub]);
    const reply = await send(name, 'POST', [await authorization(name, ana)], { body: 'body' });
    expect([/content-type: (.*)/i.exec(reply.head)?.[1], problem(reply)]).toMatchObject(['application/problem+json', { status: 403, code: 'connect_required', connectUrl: link.connectUrl }]);
    expect(upstream.requests).toEqual([]);
    expect((await send(name, 'GET', [await authorization(name, ben)])).status).toBe(200);
    expect(sentTokens()).toEqual([`Bearer token-of-${ben.sub}`]);
  });

  const refuseOld = (): void => upstream.handle((request, response) => (headerValue(request, 'authorization')?.endsWith('-renewed') ? accept(response) : void response.writeHead(401).end('expired')));

  it('a token that is refused is renewed, and the call sent once more, with every byte', async () => {
    const name = await serveConnected();
    people([ana.sub]);
    refuseOld();
    expect((await send(name, 'POST', [await authorization(name, ana)], { body: 'body' })).status).toBe(200);
    expect(upstream.requests.map((request) => [headerValue(request, 'authorization'), request.body.toString()])).toEqual([[`Bearer token-of-${ana.sub}`, 'body'], [`Bearer token-of-${ana.sub}-renewed`, 'body']]);
  });

  it('of a body that was passed on as it came, its caller sends it once more', async () => {
    const name = await serveConnected();
    people([ana.sub]);
    refuseOld();
    const line = await authorization(name, ana);
    const reply = await send(name, 'POST', [line], { body: 'x'.repeat(5_000) });
    expect([problem(reply).code, reply.status, /retry-after: (.*)/i.exec(reply.head)?.[1], upstream.requests.length]).toEqual(['request_not_repeated', 503, '1', 1]);
    expect((await send(name, 'POST', [line], { body: 'x'.repeat(5_000) })).status).toBe(200);
    expect(upstream.requests[1]?.body.length).toBe(5_000);
  });

  it('one that the upstream refuses again is not the caller’s 401', async () => {
    const name = await serveConnected();
    people([ana.sub]);
    upstream.handle((_request, response) => void response.writeHead(401).end());
    expect(problem(await send(name, 'GET', [await authorization(name, ana)]))).toMatchObject({ status: 502, code: 'upstream_rejected_credentials' });
    expect(upstream.requests).toHaveLength(2);
  });
});
