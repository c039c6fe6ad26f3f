import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type RawReply, rawRequest } from '../support/raw-request.ts';
import { headerPairs, type RecordedRequest } from '../support/recording-upstream.ts';
import { startSigv4Gate } from '../support/sigv4-gate.ts';
import { useGateway } from '../support/use-gateway.ts';

/* Direct calls (/api) of servers that were registered by the REST interface: what of a request reaches the API behind them. */

const gateway = useGateway();
const tools = { operations: [{ name: 'ping', method: 'GET', path: '/ping' }] };
const serve = (name: string, more: object = {}): Promise<unknown> =>
  gateway.serve({ name, type: 'api', tools, upstream: { url: `${gateway.upstream.origin}/v1?tenant=acme` }, agentAuth: { type: 'passthrough' }, ...more });

const theirs = ['X-Tenant: acme', 'Authorization: Bearer theirs', 'Cookie: a=b', 'If-Match: "7"'];
const send = (name: string, start: string, lines: readonly string[] = theirs, text = ''): Promise<RawReply> => {
  const body = Buffer.from(text).toString('latin1');
  const [method, path] = start.split(' ');
  const length = body === '' ? [] : [`Content-Length: ${body.length}`];
  return rawRequest(gateway.dataPlane.url, [`${method} /api/default/${name}${path} HTTP/1.1`, `Host: ${new URL(gateway.dataPlane.url).host}`, ...length, ...lines, 'Connection: close'], body);
};
const ordinary = /^(?:host|connection|content-length|user-agent)$/i;
const own = (request: RecordedRequest | undefined): string[] => headerPairs(request as RecordedRequest).filter(([name]) => !ordinary.test(name)).map(([name, value]) => `${name}: ${value}`);

describe('P1, P23 the caller’s headers reach the API, and the body is not touched', () => {
  it('as far as the policy lets them, and HTTP needs them', async () => {
    gateway.upstream.handle((_request, response) => void response.writeHead(200, { etag: '"8"' }).end('stored'));
    const body = '{ "a":1e400,\t"ü":"🎈" }\n';
    const servers: [string, object, string[]][] = [
      ['plain', {}, ['If-Match: "7"']],
      ['passing', { appAuth: { type: 'passthrough' } }, ['X-Tenant: acme', 'If-Match: "7"', 'Authorization: Bearer theirs']],
      ['mapped', { headerPolicy: { mode: 'mappings', mappings: [{ source: 'x-tenant', target: 'X-Org' }] } }, ['If-Match: "7"', 'X-Org: acme']],
    ];
    for (const [name, more, expected] of servers) {
      await serve(name, more);
      const reply = await send(name, 'PUT /items/7?x=%2F', theirs, body);
      expect([reply.status, /etag: (.*)/i.exec(reply.head)?.[1], reply.body.includes('stored')]).toEqual([200, '"8"', true]);
      const request = gateway.upstream.requests.at(-1);
      expect([request?.method, request?.url, request?.body.toString(), own(request)]).toEqual(['PUT', '/v1/items/7?tenant=acme&x=%2F', body, expected]);
    }
  });
});

describe('P4 they go to the configured URL only', () => {
  it('in its scope a redirect is followed, beyond it nothing is sent', async () => {
    await serve('scoped', { appAuth: { type: 'bearer', token: 'stored-t0ken' } });
    gateway.upstream.handle(({ url }, response) => void (url.startsWith('/v1/moved') ? response.writeHead(308, { location: url.includes('far') ? 'http://127.0.0.1:1/v1' : '/v1/here' }).end() : response.end('here')));
    expect((await send('scoped', 'PUT /moved', [], 'body')).status).toBe(200);
    expect(gateway.upstream.requests.slice(-2).map((request) => [request.url, own(request), request.body.toString()])).toEqual([
      ['/v1/moved?tenant=acme', ['Authorization: Bearer stored-t0ken'], 'body'],
      ['/v1/here', ['Authorization: Bearer stored-t0ken'], 'body'],
    ]);
    expect(JSON.parse((await send('scoped', 'PUT /moved?far', [], 'body')).body)).toMatchObject({ status: 502, code: 'upstream_redirected', redirectOrigin: 'http://127.0.0.1:1' });
    const before = gateway.upstream.requests.length;
    for (const path of ['/../admin', '/%2e%2e/admin', '//127.0.0.1:1/']) expect(JSON.parse((await send('scoped', `GET ${path}`)).body)).toMatchObject({ status: 400, code: 'invalid_path' });
    expect(gateway.upstream.requests.length).toBe(before);
  });
});

describe('P22 the API’s own authentication', () => {
  it('is there with every call, and in nobody’s hands', async () => {
    gateway.upstream.handle((_request, response) => void response.end('ok'));
    const types: [string, { type: string } & Record<string, string>, string, string[]][] = [
      ['header', { type: 'api-key', name: 'X-Key', in: 'header', value: 'k3y-of-the-server' }, '/v1/x?tenant=acme', ['X-Key: k3y-of-the-server']],
      ['query', { type: 'api-key', name: 'key', in: 'query', value: 'k3y-of-the-server' }, '/v1/x?tenant=acme&key=k3y-of-the-server', []],
      ['bearer', { type: 'bearer', token: 'k3y-of-the-server' }, '/v1/x?tenant=acme', ['Authorization: Bearer k3y-of-the-server']],
      ['basic', { type: 'basic', username: 'u', password: 'k3y-of-the-server' }, '/v1/x?tenant=acme', [`Authorization: Basic ${Buffer.from('u:k3y-of-the-server').toString('base64')}`]],
    ];
    for (const [name, appAuth, url, expected] of types) {
      await serve(`key-${name}`, { appAuth });
      const reply = await send(`key-${name}`, 'GET /x', ['Authorization: Bearer forged', 'X-Key: forged']);
      expect([reply.status, gateway.upstream.requests.at(-1)?.url, own(gateway.upstream.requests.at(-1))]).toEqual([200, url, expected]);
      expect(reply.head + reply.body + (await gateway.send('GET', `/servers/key-${name}`)).text).not.toContain('k3y-of-the-server');
    }
  });

  it('AWS Signature Version 4 is of what arrives', async () => {
    gateway.upstream.handle((_request, response) => void response.end('ok'));
    const account = { region: 'eu-central-1', service: 'execute-api', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: randomBytes(30).toString('base64') };
    const gate = await startSigv4Gate(account, gateway.upstream.origin);
    await serve('signed', { upstream: { url: `${gate.origin}/stage` }, appAuth: { type: 'aws-sigv4', ...account } });
    for (const start of ['GET /a%20b?x=1&a=2', 'POST /items', 'DELETE /items/7']) expect((await send('signed', start, theirs, start.startsWith('POST') ? 'bödy' : '')).status).toBe(200);
    expect([gate.admitted.map(({ url }) => url), gate.refused]).toEqual([['/stage/a%20b?x=1&a=2', '/stage/items', '/stage/items/7'], []]);
    await gate.close();
  });
});
