import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const servers = '/v1/workspaces/default/servers';
const json = (body: string, type = 'application/json') => ({ body, headers: { 'Content-Type': type } });

test.each<[string, string, string, { body?: string; headers?: Record<string, string> }, number, string]>([
  ['broken JSON', 'POST', servers, json('{"name": "marked-value'), 400, 'malformed_json'],
  ['JSON that is too deep', 'POST', servers, json(`${'['.repeat(300_000)}${']'.repeat(300_000)}`), 400, 'malformed_json'],
  ['another content type', 'POST', servers, json('name=x', 'application/x-www-form-urlencoded'), 415, 'unsupported_media_type'],
  ['text', 'POST', servers, json('{}', 'text/plain'), 415, 'unsupported_media_type'],
  ['a body that is too large', 'POST', '/v1/workspaces/default/apps', json(`"${'x'.repeat(1_100_000)}"`), 413, 'body_too_large'],
  ['no body', 'POST', servers, {}, 422, 'validation_failed'],
  ['an unknown route', 'GET', '/v1/nowhere', {}, 404, 'not_found'],
  ['an unknown page', 'GET', '/nowhere', {}, 404, 'not_found'],
  ['a path that cannot be decoded', 'GET', '/v1/workspaces/%E0%A4%A', {}, 400, 'invalid_request'],
])('%s', async (_name, method, path, options, status, code) => {
  const reply = await fixture.plane.send<{ errors: unknown }>(method, path, options);
  expect([reply.status, reply.body]).toMatchObject([status, { status, code, type: `urn:gatehouse:problem:${code}` }]);
  expect(reply.headers.get('content-type')).toBe('application/problem+json');
  expect(Array.isArray(reply.body.errors)).toBe(true);
  expect(reply.text).not.toContain('marked-value');
});

const cursor = (position: string): string => Buffer.from(`1${position}`).toString('base64url');
const hyphens = '-'.repeat(36);
test.each([
  ['/v1/users', hyphens],
  ['/v1/workspaces/default/connections', hyphens],
  ['/v1/vault/keys', `${hyphens}/1`],
  ['/v1/vault/keys', '01919e1c-0000-7000-8000-000000000001/9999999999'],
])('a cursor of %s that only looks like one: %s', async (path, position) => {
  const reply = await fixture.plane.send('GET', `${path}?cursor=${cursor(position)}`);
  expect([reply.status, reply.body]).toMatchObject([400, { code: 'invalid_request', errors: [{ pointer: '/cursor' }] }]);
});

test('a known path with another method is 405 and says which there are', async () => {
  const reply = await fixture.plane.send('POST', `${servers}/orders`, json('{}'));
  expect([reply.status, reply.body]).toMatchObject([405, { code: 'method_not_allowed' }]);
  expect(reply.headers.get('allow')?.split(', ')).toEqual(expect.arrayContaining(['DELETE', 'GET', 'PATCH', 'PUT']));
});

test('merge patches may be called by their own name', async () => {
  const reply = await fixture.plane.send('PATCH', `${servers}/nowhere`, { body: '{}', headers: { 'Content-Type': 'application/merge-patch+json', 'If-Match': '*' } });
  expect(reply.status).toBe(404);
});

test('every answer has the security headers, and the API is never stored', async () => {
  for (const path of ['/v1/workspaces', '/v1/nowhere', '/docs', '/openapi.json']) {
    const { headers } = await fixture.plane.send('GET', path);
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    expect(headers.get('content-security-policy'), path).toContain(`frame-ancestors 'none'`);
    if (path.startsWith('/v1')) expect(headers.get('cache-control')).toBe('no-store');
  }
});

test('two Authorization headers do not get in', async () => {
  const { port } = new URL(fixture.plane.url);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.end(`GET /v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer nonsense\r\nAuthorization: Bearer ${'x'.repeat(40)}\r\nConnection: close\r\n\r\n`);
    });
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
});

test('every route but the described ones wants the token', async () => {
  const { body } = await fixture.plane.send<{ paths: Record<string, object> }>('GET', '/openapi.json');
  for (const [template, operations] of Object.entries(body.paths)) {
    for (const method of Object.keys(operations)) {
      const path = template.replaceAll(/\{\w+\}/g, 'x');
      const reply = await fixture.plane.send(method.toUpperCase(), path, { authorization: undefined });
      expect([method, template, reply.status]).toEqual([method, template, 401]);
    }
  }
});
