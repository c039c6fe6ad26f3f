import { Writable } from 'node:stream';
import { createLogger } from '@gatehouse/service-runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signAccessToken } from '../../../../../test/support/access-token.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../../../../../test/support/recording-upstream.ts';
import { startTokenIssuer, type TokenIssuer } from '../../../../../test/support/token-issuer.ts';
import { type Reply, startTestControlPlane, type TestControlPlane, testEnvironment } from '../../spec-support/start-test-control-plane.ts';
import type { Explanation } from './explanation.ts';

const servers = '/v1/workspaces/default/servers';
const storedKey = 'k3y-of-the-upstream-0123456789-wxyz';
const passthrough = { agentAuth: { type: 'passthrough' }, appAuth: { type: 'passthrough' } };

let postgres: TestPostgres;
let databaseUrl: string;
let plane: TestControlPlane;
let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let serviceAccountKey: string;
const log: string[] = [];
const answers: string[] = [];

beforeAll(async () => {
  [postgres, upstream, issuer] = await Promise.all([startTestPostgres(), startRecordingUpstream(), startTokenIssuer()]);
  databaseUrl = await postgres.createDatabase();
  const destination = new Writable({ write: (chunk: Buffer, _encoding, done) => (log.push(chunk.toString()), done()) });
  plane = await startTestControlPlane({
    environment: { ...testEnvironment(databaseUrl), GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback' },
    logger: createLogger({ level: 'trace', role: 'spec', destination }),
  });
  const documents: Record<string, object> = {
    orders: { agentAuth: { type: 'passthrough' }, appAuth: { type: 'api-key', name: 'X-Api-Key', in: 'header', value: storedKey }, headerPolicy: { mode: 'list', list: ['X-Tenant'], restricted: ['x-internal-*'] } },
    query: { agentAuth: { type: 'passthrough' }, appAuth: { type: 'api-key', name: 'key', in: 'query', value: storedKey }, upstream: { url: `${upstream.url}?tenant=1&api_token=plain-in-the-url-0123` } },
    basic: { agentAuth: { type: 'passthrough' }, appAuth: { type: 'basic', username: 'user', password: storedKey }, outboundHeaders: [{ name: 'X-Plain', source: { type: 'static', value: storedKey } }] },
    open: passthrough,
    keyed: { agentAuth: { type: 'api-key' }, appAuth: { type: 'none' } },
    named: { agentAuth: { type: 'api-key' }, outboundHeaders: [{ name: 'X-Caller', source: { type: 'caller-identity', claim: 'name' } }] },
    nobody: { ...passthrough, outboundHeaders: [{ name: 'X-Caller', source: { type: 'caller-identity', claim: 'email' } }] },
    jwt: { ...passthrough, agentAuth: { type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url } } },
    interactive: { agentAuth: { type: 'interactive', scopes: ['orders'] }, appAuth: { type: 'none' } },
    disabled: { ...passthrough, enabled: false },
    sse: { ...passthrough, upstream: { url: upstream.url, transport: 'sse' } },
  };
  for (const [name, document] of Object.entries(documents)) {
    const reply = await plane.send('POST', servers, { body: { name, type: 'mcp', upstream: { url: upstream.url }, ...document } });
    expect(reply.status, reply.text).toBe(201);
  }
  const account = await plane.send<{ key: string }>('POST', '/v1/workspaces/default/service-accounts', { body: { name: 'nightly' } });
  serviceAccountKey = account.body.key;
});
afterAll(async () => {
  await plane?.close();
  await Promise.all([postgres?.close(), upstream?.close(), issuer?.close()]);
});

async function send(server: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply<Explanation>> {
  const reply = await plane.send<Explanation>('POST', `${servers}/${server}/explain`, { body, headers });
  answers.push(reply.text);
  return reply;
}

async function explain(server: string, ...headers: string[]): Promise<Explanation> {
  const reply = await send(server, { request: { headers } });
  expect(reply.status, reply.text).toBe(200);
  return reply.body;
}

const outcomes = ({ verdicts }: Explanation) => verdicts.map(({ name, action, reason, outgoingName }) => [name, reason ?? action, ...(outgoingName && outgoingName !== name ? [outgoingName] : [])]);
const codes = ({ warnings }: Explanation) => warnings.map(({ code }) => code);
const leaving = ({ request }: Explanation) => Object.fromEntries(request?.headers.map(({ name, value }) => [name, value]) ?? []);

describe('what leaves', () => {
  test('every given header has its verdict, in order, and every header that leaves has one', async () => {
    const explanation = await explain('orders', 'x-tenant: acme', 'Authorization: Bearer abc', 'X-Internal-Id: 7', 'X-Other: 1', 'Cookie: a=b', 'X-Api-Key: mine');
    expect(outcomes(explanation)).toEqual([
      ['x-tenant', 'kept', 'X-Tenant'], ['Authorization', 'credential_not_forwardable'], ['X-Internal-Id', 'restricted'], ['X-Other', 'not_selected'], ['Cookie', 'blocked'], ['X-Api-Key', 'not_selected'],
      ['user-agent', 'set'], ['accept', 'set'], ['content-type', 'set'], ['X-Api-Key', 'set'],
    ]);
    expect(explanation.request).toMatchObject({ method: 'POST', url: upstream.url });
    const explained = explanation.verdicts.filter(({ action }) => action !== 'dropped').map(({ name, outgoingName = name }) => outgoingName);
    expect(explanation.request?.headers.map(({ name }) => name).toSorted()).toEqual(explained.toSorted());
    expect(explanation.credentials).toEqual([{ source: 'appAuth api-key', location: { in: 'header', name: 'X-Api-Key' } }]);
    for (const { explanation: sentence } of explanation.verdicts) expect(sentence).not.toBe('');
  });

  test('the upstream is never called, and what was asked is never stored, not even under an idempotency key', async () => {
    const mark = 'canary-of-a-caller';
    const body = { request: { headers: { 'X-Tenant': mark, Authorization: `Bearer ${mark}` } } };
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const reply = await send('orders', body, { 'Idempotency-Key': 'again' });
      expect([reply.status, reply.headers.get('Idempotency-Replayed')]).toEqual([200, null]);
    }
    expect(upstream.requests).toEqual([]);
    expect(await runSql(databaseUrl, 'select * from idempotency_keys')).toEqual([]);
    expect(log.join('')).not.toContain(mark);
  });

  test('the global policy counts where the server says nothing', async () => {
    await plane.send('PUT', '/v1/header-policy', { body: { mode: 'list', list: ['X-Global'] }, headers: { 'If-Match': '*' } });
    const { verdicts } = await explain('keyed', 'x-global: 1', 'X-Other: 1');
    expect(verdicts.slice(0, 2)).toMatchObject([{ action: 'kept', outgoingName: 'X-Global', from: 'global' }, { reason: 'not_selected', from: 'global' }]);
    await plane.send('DELETE', '/v1/header-policy', { headers: { 'If-Match': '*' } });
  });

  test('values that leave are shown as text, whatever bytes they are on the wire', async () => {
    expect(leaving(await explain('orders', 'X-Tenant: 東京'))).toMatchObject({ 'X-Tenant': '東京' });
    expect(leaving(await explain('orders', 'X-Tenant: café'))).toMatchObject({ 'X-Tenant': 'café' });
  });

  test('a session’s id is the upstream’s own, which is not known here', async () => {
    expect(leaving(await explain('open', 'Mcp-Session-Id: sealed-for-the-caller-0123'))).toMatchObject({ 'mcp-session-id': '[secret]' });
  });

  test('an upstream of HTTP+SSE is said to be one', async () => {
    expect((await explain('sse')).assumptions.map(({ code }) => code)).toContain('bridged');
  });
});

describe('secrets', () => {
  test('of stored ones the last four characters at most, wherever they are put', async () => {
    expect(leaving(await explain('orders'))).toMatchObject({ 'X-Api-Key': '…wxyz' });
    expect(leaving(await explain('basic'))).toMatchObject({ Authorization: 'Basic [secret]', 'X-Plain': '…wxyz' });
    const query = await explain('query');
    expect(query.request?.url).toBe(`${upstream.url}?tenant=1&api_token=…0123&key=…wxyz`);
    expect(query.credentials).toEqual([{ source: 'appAuth api-key', location: { in: 'query', name: 'key' } }]);
  });

  test('a caller’s token is masked under whatever name it leaves, and one’s guess of a stored secret is not treated differently', async () => {
    const values = leaving(await explain('open', 'Authorization: Bearer of-the-caller-0123456789', 'X-Copy: of-the-caller-0123456789', 'X-Guess: k3y-of-the-upstream-0123456789-wxyz', `X-Key-Of-Gateway: ${serviceAccountKey}`, `X-Plain: ${serviceAccountKey}`));
    expect(values).toMatchObject({ Authorization: 'Bearer …6789', 'X-Copy': '…6789', 'X-Guess': storedKey });
    for (const name of ['X-Key-Of-Gateway', 'X-Plain']) expect(values[name]).toBe(`…${serviceAccountKey.slice(-4)}`);
  });

  test('no answer and no line of the log has a whole one', () => {
    for (const text of [...answers, ...log]) {
      expect(text).not.toContain(serviceAccountKey);
      expect(text.replaceAll(`"value":"${storedKey}","secret":false`, '')).not.toContain(storedKey);
      expect(text).not.toContain(Buffer.from(`user:${storedKey}`).toString('base64').slice(0, 12));
      expect(text).not.toContain('of-the-caller');
    }
  });
});

describe('is my token leaking?', () => {
  test('it stays', async () => {
    const { tokens, warnings } = await explain('orders', 'Authorization: Bearer abc', 'X-Tenant: acme');
    expect(tokens).toMatchObject([{ name: 'Authorization', code: 'token_stays' }]);
    expect(warnings.map(({ code }) => code)).toEqual(['open_server']);
  });

  test('it leaves, and for where', async () => {
    const explanation = await explain('open', 'Authorization: Bearer abc', 'X-Upstream-Authorization: Bearer def', 'X-Note: 1');
    expect(explanation.tokens.map(({ name, code }) => [name, code])).toEqual([['Authorization', 'token_stays'], ['X-Upstream-Authorization', 'token_leaves']]);
    expect(explanation.warnings).toContainEqual({ code: 'token_leaves', detail: expect.stringContaining(upstream.origin) as string });
  });

  test('of a refused request nothing leaves', async () => {
    for (const headers of [['Authorization: Bearer abc'], ['Authorization: a', 'X-Tenant: b', 'authorization: c']]) {
      expect((await explain('disabled', ...headers)).tokens).toMatchObject([{ name: 'Authorization', code: 'token_stays' }]);
    }
  });
});

describe('what the data plane would refuse', () => {
  test.each<[string, string, object, number, string]>([
    ['a header that may occur once, sent twice', 'orders', { headers: ['Authorization: a', 'authorization: b'] }, 400, 'duplicate_header'],
    ['two headers that would leave as one', 'open', { headers: ['From: a', 'FROM: b'] }, 400, 'duplicate_header'],
    ['more headers than it takes', 'orders', { headers: Array.from({ length: 101 }, (_, index) => `X-${index}: v`) }, 431, 'headers_too_large'],
    ['larger ones than it takes', 'orders', { headers: [`X-A: ${'v'.repeat(32_768)}`] }, 431, 'headers_too_large'],
    ['more than it takes of those that no HTTP parser lets through', 'orders', { headers: Array.from({ length: 101 }, (_, index) => `X-${index}: \u0001`) }, 431, 'headers_too_large'],
    ['larger ones of these', 'orders', { headers: [`X-A: \u0001${'v'.repeat(32_768)}`] }, 431, 'headers_too_large'],
    ['a method', 'orders', { method: 'PUT' }, 405, 'method_not_allowed'],
    ['a method that the modern era does not have', 'orders', { method: 'GET', headers: ['Mcp-Protocol-Version: 2026-07-28'] }, 405, 'method_not_allowed'],
    ['a body that is no JSON by its type', 'orders', { headers: ['Content-Type: text/plain'] }, 415, 'unsupported_media_type'],
    ['a body that is compressed', 'orders', { headers: ['Content-Encoding: gzip'] }, 415, 'unsupported_media_type'],
    ['a body that is no JSON', 'orders', { body: 'nonsense' }, 400, 'invalid_request'],
    ['headers that contradict the message', 'orders', { headers: ['Mcp-Protocol-Version: 2026-07-28', 'Mcp-Method: tools/list'], body: { jsonrpc: '2.0', id: 1, method: 'tools/call' } }, 400, 'header_mismatch'],
    ['a server that is disabled', 'disabled', {}, 404, 'server_disabled'],
  ])('%s', async (_name, server, request, status, code) => {
    const { body, text } = await send(server, { request });
    expect(body, text).toMatchObject({ request: null, refused: { code, status } });
  });

  test('the verdicts are there as far as it would have come to them, and nothing is set', async () => {
    expect(outcomes(await explain('disabled', 'X-Tenant: acme'))).toEqual([['X-Tenant', 'kept']]);
    expect(outcomes(await explain('disabled', 'Authorization: a', 'authorization: b'))).toEqual([]);
  });
});

describe('who calls', () => {
  test('is what the upstream is told, where the server says so; of whoever it is, while that is not known', async () => {
    const callerIn = ({ refused, request }: Explanation): unknown => [refused?.code, request?.headers.filter(({ name }) => name === 'X-Caller').length];
    const [known, unknown] = [await explain('named', `X-Gatehouse-Key: ${serviceAccountKey}`), await explain('named')];
    expect([callerIn(known), codes(known)]).toEqual([[undefined, 1], []]);
    expect([callerIn(unknown), codes(unknown)]).toEqual([[undefined, 1], ['unauthenticated']]);
    expect(callerIn(await explain('nobody'))).toEqual(['claim_missing', undefined]);
  });

  test('a service account’s key lets in and is not echoed; another workspace’s, a wrong one, none do not', async () => {
    for (const header of [`Authorization: Bearer ${serviceAccountKey}`, `X-Gatehouse-Key: ${serviceAccountKey}`]) expect(codes(await explain('keyed', header))).toEqual([]);
    await plane.send('POST', '/v1/workspaces', { body: { name: 'other' } });
    const other = await plane.send<{ key: string }>('POST', '/v1/workspaces/other/service-accounts', { body: { name: 'nightly' } });
    const wrong = `${serviceAccountKey.slice(0, -4)}AAAA`;
    for (const key of [other.body.key, wrong, 'nonsense']) {
      const explanation = await explain('keyed', `Authorization: Bearer ${key}`);
      expect(explanation.warnings).toMatchObject([{ code: 'unauthenticated', detail: expect.stringContaining('invalid_credential') as string }]);
      expect(explanation.request).not.toBeNull();
    }
    expect((await explain('keyed')).warnings).toMatchObject([{ code: 'unauthenticated', detail: expect.stringContaining('missing_credential') as string }]);
  });

  test('a JWT is verified with the issuer’s keys; a refused one says why', async () => {
    expect(codes(await explain('jwt', `Authorization: Bearer ${await issuer.sign()}`))).toEqual(['token_leaves']);
    const expired = await explain('jwt', `Authorization: Bearer ${await issuer.sign({ exp: 1 })}`);
    expect(expired.warnings[0]).toMatchObject({ code: 'unauthenticated', detail: expect.stringContaining('expired_token') as string });
  });

  test('an access token of the gateway’s own authorization server is verified, for this server', async () => {
    // In the place of the key that was made at the start, one whose private half is known here.
    await runSql(databaseUrl, 'update oauth_signing_keys set public_jwk = $1', [JSON.stringify(issuer.key.publicJwk)]);
    const sign = (server: string, scope: string) => signAccessToken(issuer, `https://gateway.example/mcp/default/${server}`, { iss: 'http://localhost:3000', scope });
    expect(codes(await explain('interactive', `Authorization: Bearer ${await sign('interactive', 'orders')}`))).toEqual(['workspace_open']);
    for (const [server, scope, denied] of [['keyed', 'orders', 'wrong_audience'], ['interactive', '', '403 (insufficient_scope)']] as const) {
      const { warnings } = await explain('interactive', `Authorization: Bearer ${await sign(server, scope)}`);
      expect(warnings).toMatchObject([{ code: 'unauthenticated', detail: expect.stringContaining(denied) as string }, { code: 'workspace_open' }]);
    }
  });

  test('an issuer that is away is said to be', async () => {
    issuer.goAway();
    expect(codes(await explain('jwt', `Authorization: Bearer ${await issuer.sign()}`))).toEqual(['caller_keys_unavailable', 'token_leaves']);
    issuer.goAway(false);
  });
});

describe('the request', () => {
  test('is given as lines, as pairs, as an object, as a curl command, as a HAR entry or its request: all the same', async () => {
    const headers = [{ name: 'Content-Type', value: 'application/json' }, { name: 'Accept', value: '*/*' }, { name: 'X-Tenant', value: 'acme' }];
    const text = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
    const har = { method: 'POST', url: 'https://gateway.example/mcp/default/orders', httpVersion: 'HTTP/2', headers: [{ name: ':authority', value: 'gateway.example' }, ...headers], postData: { mimeType: 'application/json', text } };
    const inputs = [
      { request: { method: 'post', path: '/mcp/default/orders', headers: headers.map(({ name, value }) => `${name}: ${value}`), body: text } },
      { request: { headers, body: JSON.parse(text) as unknown } },
      { request: { headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])), body: text } },
      { curl: `curl https://gateway.example/mcp/default/orders -H 'Content-Type: application/json' -H 'Accept: */*' -H 'X-Tenant: acme' --data-raw '${text}'` },
      { har }, { har: { startedDateTime: '2026-01-01', request: har } },
    ];
    const replies = await Promise.all(inputs.map((input) => send('orders', input)));
    for (const { status, body } of replies) expect([status, body]).toEqual([200, replies[0]?.body]);
    expect(replies[0]?.body).toMatchObject({ assumptions: [], warnings: [{ code: 'open_server' }] });
  });

  test.each<[string, unknown, string[]]>([
    ['nothing', {}, ['']],
    ['two forms', { curl: 'curl x', request: {} }, ['']],
    ['an unknown field', { request: {}, caller: {} }, ['/caller']],
    ['names that are none', { request: { headers: [{ name: 'no name', value: 'v' }, { name: 'X-A', value: 'v' }, 'nothing', 'no name: v'] } }, ['/request/headers/0/name', '/request/headers/2', '/request/headers/3']],
    ['a value that is no text', { request: { headers: [{ name: 'X-A', value: 1 }] } }, ['/request/headers/0/value']],
    ['a name in an object', { request: { headers: { 'no name': 'v' } } }, ['/request/headers']],
    ['a method', { request: { method: 'NO WAY' } }, ['/request/method']],
    ['a curl command', { curl: 'wget x' }, ['/curl']],
    ['a HAR entry', { har: { request: { method: 'POST', url: 'x', headers: [{ name: 'X-A' }] } } }, ['/har/request/headers/0/value']],
    ['a name in a HAR request', { har: { method: 'POST', url: 'x', headers: [{ name: 'no name', value: '' }] } }, ['/har/headers/0/name']],
  ])('with a problem is refused by pointer: %s', async (_name, body, pointers) => {
    const reply = await plane.send<{ code: string; errors: { pointer: string }[] }>('POST', `${servers}/orders/explain`, { body });
    expect([reply.status, reply.body.code, reply.body.errors.map(({ pointer }) => pointer)]).toEqual([422, 'validation_failed', pointers]);
  });

  test('is bounded', async () => {
    expect(await plane.send('POST', `${servers}/orders/explain`, { body: { curl: `curl -d '${'a'.repeat(262_144)}' x` } })).toMatchObject({ status: 413 });
  });

  test('what is odd about it is a warning, what it does not say an assumption', async () => {
    const { body } = await send('orders', { curl: `curl 'https://gateway.example/mcp/default/other?token=x' -H 'Origin: https://page.example' -H "X-Tenant: $TENANT" -d '{"jsonrpc":"2.0","id":1,"method":"ping"}'` });
    expect(codes(body)).toEqual(['other_server', 'curl_sends_form', 'origin_checked', 'open_server']);
    expect(body.assumptions.map(({ code }) => code)).toEqual(['header_assumed', 'header_assumed', 'query_stays', 'not_expanded']);
  });

  test('a value that no HTTP parser takes is dropped, and nothing is read from it', async () => {
    const explanation = await explain('orders', 'X-Tenant: a\r\nb', 'Accept: \u0001');
    expect(outcomes(explanation).slice(0, 2)).toEqual([['X-Tenant', 'invalid_value'], ['Accept', 'not_selected']]);
    expect(codes(explanation)).toContain('invalid_on_the_wire');
    expect(leaving(explanation)['accept']).toBeUndefined();
  });
});

test('it is for administrators and for servers that exist, in their own workspace', async () => {
  const body = { request: {} };
  expect(await plane.send('POST', `${servers}/orders/explain`, { body, authorization: undefined })).toMatchObject({ status: 401 });
  expect(await plane.send('POST', `${servers}/nothing/explain`, { body })).toMatchObject({ status: 404 });
  expect(await plane.send('POST', '/v1/workspaces/other/servers/orders/explain', { body })).toMatchObject({ status: 404 });
});
