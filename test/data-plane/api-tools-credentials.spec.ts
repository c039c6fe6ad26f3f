import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { TokenAnswer } from '@gatehouse/access-tokens';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { type InProcessDataPlane, type SpecServer, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { closeHttpServer, listenOnLoopback } from '../support/listen.ts';
import { answerAsPets, petsOperations } from '../support/pets-api.ts';
import { type RawAnswer, type RawOptions, sendRaw, textIn } from '../support/raw-mcp.ts';
import { headerPairs, headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type Sigv4Account, startSigv4Gate } from '../support/sigv4-gate.ts';
import { startSpecBroker, type SpecBroker } from '../support/token-broker.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import { startUntouchedServer, type UntouchedServer } from '../support/untouched-server.ts';

/* Calls of an API's tools carry what the server says, and nothing else: the promises about headers and credentials, for tools. */

let upstream: RecordingUpstream;
let other: UntouchedServer;
let issuer: TokenIssuer;
let broker: SpecBroker;
let provider: Server;
let tokenUrl: string;
let issued = 0;
let dataPlane: InProcessDataPlane;
let names = 0;

const unconnected: TokenAnswer = { status: 'connect_required', connectUrl: 'https://gatehouse.example/connect/sealed-link', linkId: 'link-1', owner: 'app-1', app: 'GitHub', reason: 'not_connected' };

beforeAll(async () => {
  [upstream, other, issuer, broker] = await Promise.all([startRecordingUpstream(), startUntouchedServer(), startTokenIssuer(), startSpecBroker()]);
  provider = createServer((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: `token-${(issued += 1)}`, token_type: 'Bearer', expires_in: 3600 })));
  tokenUrl = `http://127.0.0.1:${await listenOnLoopback(provider)}/token`;
  // One connection: a place that is not given back would stop the next test.
  dataPlane = await startPublicDataPlane({ ...broker.environment, GATEHOUSE_CONNECTIONS_PER_ORIGIN: '1' });
  await dataPlane.publishAuthorizationServer(issuer);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), other.close(), issuer.close(), broker.close(), closeHttpServer(provider)]);
});
beforeEach(() => {
  upstream.requests.length = 0;
  issued = 0;
  upstream.handle(answerAsPets);
});

async function serve(more: Partial<SpecServer> = {}): Promise<string> {
  const name = `pets-${(names += 1)}`;
  await dataPlane.publish({ name, type: 'api', upstream: { url: `${upstream.origin}/v1` }, tools: { operations: petsOperations }, ...more });
  return name;
}
const call = (server: string, headers: Record<string, string> = {}, tool = 'listPets', args: object = {}, options: RawOptions = {}): Promise<RawAnswer> =>
  sendRaw(`${dataPlane.url}/mcp/default/${server}`, 'tools/call', { name: tool, arguments: args }, { ...options, headers: { ...headers, ...options.headers } });
const sent = (): RecordedRequest => {
  expect(upstream.requests.length).toBe(1);
  return upstream.requests[0] as RecordedRequest;
};
const codeOf = ({ message }: RawAnswer): unknown => message.error?.data?.['code'];

describe('P22 the API’s own authentication', () => {
  it.each<[string, NonNullable<SpecServer['appAuth']>, string, string | undefined]>([
    ['none', { type: 'none' }, '/v1/pets', undefined],
    ['a key in a header', { type: 'api-key', in: 'header', name: 'X-API-Key', value: 'k3y' }, '/v1/pets', 'X-API-Key: k3y'],
    ['a key in the query', { type: 'api-key', in: 'query', name: 'key', value: 'k 3&y' }, '/v1/pets?key=k%203%26y', undefined],
    ['a bearer', { type: 'bearer', token: 'b3arer' }, '/v1/pets', 'Authorization: Bearer b3arer'],
    ['a password', { type: 'basic', username: 'ana', password: 'pässword' }, '/v1/pets', `Authorization: Basic ${Buffer.from('ana:pässword').toString('base64')}`],
    ['several headers', { type: 'custom-headers', headers: [{ name: 'X-One', value: '1' }] }, '/v1/pets', 'X-One: 1'],
  ])('%s', async (_what, appAuth, url, header) => {
    const answer = await call(await serve({ appAuth }), { authorization: 'Bearer theirs', 'x-api-key': 'theirs', cookie: 'a=b' });
    expect(answer.message.result?.isError).toBeUndefined();
    expect(sent().url).toBe(url);
    const rows = headerPairs(sent()).map(([name, value]) => `${name}: ${value}`);
    if (header !== undefined) expect(rows).toContain(header);
    expect(rows.filter((row) => /authorization|x-api-key|x-one/i.test(row))).toEqual(header === undefined ? [] : [header]);
    expect(JSON.stringify(sent())).not.toContain('theirs');
  });

  it('a query key beside an operation’s own query; in no answer and in no log', async () => {
    upstream.handle((_request, response) => void response.writeHead(500, { 'content-type': 'text/plain' }).end('broken'));
    const answer = await call(await serve({ appAuth: { type: 'api-key', in: 'query', name: 'key', value: 'qu3ry-k3y' } }), {}, 'listPets', { limit: 3 });
    expect(sent().url).toBe('/v1/pets?limit=3&key=qu3ry-k3y');
    expect(textIn(answer)).toBe('HTTP 500 Internal Server Error\nbroken');
    expect(dataPlane.log.join('')).not.toContain('qu3ry-k3y');
  });

  it('an argument does not stand in for the key of the configuration', async () => {
    const [operation] = petsOperations;
    const asking = { ...operation, parameters: [{ argument: 'key', name: 'key', in: 'query', required: false, style: 'form', explode: true }, { argument: 'Authorization', name: 'Authorization', in: 'header', required: false, style: 'simple', explode: false }], inputSchema: {} } as (typeof petsOperations)[number];
    await call(await serve({ appAuth: { type: 'api-key', in: 'query', name: 'key', value: 'stored' }, tools: { operations: [asking] } }), {}, 'listPets', { key: 'theirs' });
    await call(await serve({ appAuth: { type: 'bearer', token: 'stored' }, tools: { operations: [asking] } }), {}, 'listPets', { Authorization: 'theirs' });
    expect(upstream.requests.map(({ url }) => url)).toEqual(['/v1/pets?key=stored', '/v1/pets']);
    expect(upstream.requests.map((request) => headerValue(request, 'authorization'))).toEqual([undefined, 'Bearer stored']);
  });

  it('OAuth client credentials: one token for all calls', async () => {
    const server = await serve({ appAuth: { type: 'oauth-client-credentials', tokenUrl, clientId: 'client', clientSecret: 'secret-0123456789' } });
    expect((await Promise.all([call(server), call(server), call(server, {}, 'addPet', { name: 'Tom' })])).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect([upstream.requests.map((request) => headerValue(request, 'authorization')), issued]).toEqual([['Bearer token-1', 'Bearer token-1', 'Bearer token-1'], 1]);
  });

  it.each<[string, string, object]>([
    ['a path and a query', 'listPets', { tag: ['a b', "(ü)'!*/+"], limit: 3, 'X-Mode': 'slow' }],
    ['a body', 'addPet', { name: 'Tom "ü" 🎈' }],
    ['a path of reserved characters', 'getPet', { petId: "a/b c+(d)'!*ü" }],
    ['a file', 'putPicture', { petId: '1', body: { base64: Buffer.from([0, 255, 1]).toString('base64') } }],
  ])('AWS Signature v4, computed again by AWS’s code: %s', async (_what, tool, args) => {
    const account: Sigv4Account = { region: 'eu-central-1', service: 'execute-api', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: randomBytes(30).toString('base64') };
    const gate = await startSigv4Gate(account, upstream.origin);
    try {
      const answer = await call(await serve({ upstream: { url: `${gate.origin}/v1` }, appAuth: { type: 'aws-sigv4', ...account } }), { authorization: 'theirs' }, tool, args);
      expect([gate.admitted.length, gate.refused.length, textIn(answer)]).toEqual([1, 0, expect.any(String)]);
      expect(answer.message.result?.isError, textIn(answer)).toBeUndefined();
    } finally {
      await gate.close();
    }
  });
});

describe('P1 the caller’s headers reach an API behind tools', () => {
  const theirs = { 'X-Tenant': 'acme', 'x-REQUEST-id': 'r-1', cookie: 'session=1', authorization: 'Bearer theirs', 'X-Internal-Id': '7', 'x-api-key': 'theirs' };

  it.each<[string, Partial<SpecServer>, string[]]>([
    ['none, where nothing says so', {}, []],
    ['all that are eligible', { headerPolicy: { mode: 'all', restricted: ['x-internal-*'] } }, ['X-Tenant: acme', 'x-REQUEST-id: r-1', 'x-api-key: theirs']],
    ['those of a mapping', { headerPolicy: { mode: 'mappings', mappings: [{ source: 'x-tenant', target: 'X-Org' }] } }, ['X-Org: acme']],
    ['those of a list', { headerPolicy: { mode: 'list', list: ['X-TENANT'] } }, ['X-TENANT: acme']],
    ['with outbound headers, which win', { headerPolicy: { mode: 'all', restricted: ['x-internal-*', 'x-api-key'] }, outboundHeaders: [{ name: 'X-Tenant', source: { type: 'static', value: 'ours' } }] }, ['x-REQUEST-id: r-1', 'X-Tenant: ours']],
  ])('%s', async (_what, more, expected) => {
    const server = await serve(more);
    for (const options of [{}, { modern: {} }]) {
      upstream.requests.length = 0;
      await call(server, theirs, 'addPet', { name: 'Tom' }, options);
      const rows = headerPairs(sent()).map(([name, value]) => `${name}: ${value}`);
      expect(rows.filter((row) => /tenant|org|request-id|internal|cookie|authorization|api-key/i.test(row))).toEqual(expected);
      expect(rows.filter((row) => /^accept:|^content-type/i.test(row))).toEqual(['accept: application/json', 'content-type: application/json']);
      expect(sent().body.toString()).toBe('{"name":"Tom"}');
    }
  });
});

describe('P23 bearer pass-through', () => {
  it('the caller’s Authorization is the API’s; what the API says of it is the caller’s', async () => {
    const server = await serve({ appAuth: { type: 'passthrough' } });
    await call(server, { authorization: 'Bearer theirs' });
    expect(headerValue(sent(), 'authorization')).toBe('Bearer theirs');
    upstream.handle((_request, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer realm="pets"' }).end('{"no":1}'));
    const refused = await call(server, { authorization: 'Bearer theirs' });
    expect([refused.status, refused.headers.get('www-authenticate'), codeOf(refused)]).toEqual([401, 'Bearer realm="pets"', 'upstream_rejected_credentials']);
  });

  it('X-Upstream-Authorization is the API’s where the gateway has none for it', async () => {
    await call(await serve({}), { 'x-upstream-authorization': 'Bearer theirs' });
    await call(await serve({ appAuth: { type: 'bearer', token: 'stored' } }), { 'x-upstream-authorization': 'Bearer theirs' });
    expect(upstream.requests.map((request) => headerValue(request, 'authorization'))).toEqual(['Bearer theirs', 'Bearer stored']);
  });

  it('a stored credential that is refused is somebody’s to look at: said to the model, and in the log', async () => {
    upstream.handle((_request, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer', 'content-type': 'text/plain' }).end('bad key'));
    const answer = await call(await serve({ appAuth: { type: 'bearer', token: 'stored' } }));
    expect([answer.status, answer.headers.get('www-authenticate'), answer.message.result?.isError]).toEqual([200, null, true]);
    expect(textIn(answer)).toMatch(/^upstream_rejected_credentials: .*\nHTTP 401 Unauthorized\nbad key$/);
    expect(dataPlane.log.some((line) => line.includes('upstream_rejected_credentials') && line.includes('"warn"'))).toBe(true);
  });
});

describe('P4 nothing goes anywhere else', () => {
  const redirect = (location: () => string, status = 307) => upstream.handle((request, response) => void (request.url.startsWith('/v1/moved') ? answerAsPets(request, response) : response.writeHead(status, { location: location() }).end('moved')));
  const keyed: Partial<SpecServer> = { appAuth: { type: 'api-key', in: 'query', name: 'key', value: 'k3y' }, headerPolicy: { mode: 'all' } };

  it.each([['another host', () => `${other.origin}/v1/moved`], ['another path', () => '/v2/moved'], ['out of the path', () => '/v1/../moved']])('%s', async (_what, location) => {
    redirect(location);
    const answer = await call(await serve(keyed), { 'x-tenant': 'acme' }, 'addPet', { name: 'Tom' });
    expect([answer.status, codeOf(answer), upstream.requests.length, other.connections]).toEqual([502, 'upstream_redirected', 1, 0]);
  });

  it('within the URL it is followed, body, headers and key', async () => {
    redirect(() => '/v1/moved/pets?page=2');
    const answer = await call(await serve(keyed), { 'x-tenant': 'acme' }, 'addPet', { name: 'Tom' });
    expect(answer.status).toBe(200);
    expect(upstream.requests.map((request) => [request.method, request.url, request.body.toString(), headerValue(request, 'x-tenant'), headerValue(request, 'content-type')])).toEqual([
      ['POST', '/v1/pets?key=k3y', '{"name":"Tom"}', 'acme', 'application/json'],
      ['POST', '/v1/moved/pets?page=2&key=k3y', '{"name":"Tom"}', 'acme', 'application/json'],
    ]);
  });
});

describe('P13 an account of each person', () => {
  const github: Partial<SpecServer> = { title: 'Code', agentAuth: { type: 'interactive' }, appAuth: { type: 'oauth-authorization-code', app: 'github' } };
  let connected: Set<string>;
  beforeEach(() => {
    connected = new Set();
    broker.answer(({ subject }) => {
      const { person } = subject as { person: string };
      return connected.has(person) ? { status: 'token', accessToken: `token-of-${person}`, connection: `connection-${person}`, owner: 'app-1', person } : unconnected;
    });
  });
  const as = async (server: string, claims: object = ana): Promise<Record<string, string>> => ({ authorization: `Bearer ${await signAccessToken(issuer, `${dataPlane.url}/mcp/default/${server}`, { ...claims })}` });
  const open = async (server: string, capabilities: object): Promise<Record<string, string>> => {
    const headers = await as(server);
    const begun = await sendRaw(`${dataPlane.url}/mcp/default/${server}`, 'initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'spec', version: '1' } }, { headers });
    return { ...headers, 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
  };

  it('who is not connected sees the tools, and gets a link in the form that the client knows', async () => {
    const server = await serve(github);
    const plain = await open(server, {});
    expect((await sendRaw(`${dataPlane.url}/mcp/default/${server}`, 'tools/list', {}, { headers: plain })).message.result?.tools?.length).toBe(petsOperations.length);
    const result = await call(server, plain);
    expect([result.status, result.message.result?.isError, textIn(result)]).toEqual([200, true, expect.stringContaining('https://gatehouse.example/connect/sealed-link')]);
    expect((await call(server, await open(server, { elicitation: { url: {} } }))).message.error?.code).toBe(-32042);
    const modern = await call(server, await as(server), 'listPets', {}, { modern: { elicitation: { url: {} } } });
    expect([modern.message.result?.['resultType'], modern.message.result?.['requestState']]).toEqual(['input_required', expect.any(String)]);
    expect(upstream.requests).toEqual([]);
  });

  it('wrong arguments are told before anybody is asked to connect anything', async () => {
    const server = await serve(github);
    expect(textIn(await call(server, await as(server), 'getPet'))).toContain('petId: is required');
    expect(broker.requests.filter((request) => JSON.stringify(request).includes(server))).toEqual([]);
  });

  it('afterwards each calls with a token of their own', async () => {
    const server = await serve(github);
    connected.add(ana.sub).add(ben.sub);
    await call(server, await as(server));
    await call(server, await as(server, ben));
    expect(upstream.requests.map((request) => headerValue(request, 'authorization'))).toEqual([`Bearer token-of-${ana.sub}`, `Bearer token-of-${ben.sub}`]);
  });

  it('a token that the API refuses is replaced once, and the very request sent again', async () => {
    const server = await serve(github);
    broker.answer(({ refused }) => ({ status: 'token', accessToken: refused === undefined ? 'old' : 'new', connection: 'connection-1', owner: 'app-1', person: ana.sub }));
    upstream.handle((request, response) => void (headerValue(request, 'authorization') === 'Bearer old' ? response.writeHead(401).end() : answerAsPets(request, response)));
    const answer = await call(server, await as(server), 'addPet', { name: 'Tom' });
    expect(answer.message).toMatchObject({ result: { structuredContent: { id: '2', name: 'Tom' } } });
    expect(upstream.requests.map((request) => [headerValue(request, 'authorization'), request.body.toString()])).toEqual([['Bearer old', '{"name":"Tom"}'], ['Bearer new', '{"name":"Tom"}']]);
    upstream.handle((_request, response) => void response.writeHead(401).end());
    const refused = await call(server, await as(server));
    expect([refused.status, codeOf(refused)]).toEqual([502, 'upstream_rejected_credentials']);
  });
});
