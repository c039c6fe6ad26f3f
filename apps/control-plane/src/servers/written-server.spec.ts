import { GatewayError, type Problem } from '@gatehouse/errors';
import { describe, expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { readWrittenServer } from './written-server.ts';

const context = { workspace: 'default', storedSecrets: [], openServersAllowed: true };

function problemsOf(body: unknown, overrides: Partial<typeof context> = {}): readonly Problem[] {
  try {
    readWrittenServer(body, { ...context, ...overrides });
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'validation_failed') return error.problems;
    throw error;
  }
  return [];
}

const lines = (body: unknown): string[] => problemsOf(body).map(({ pointer, detail }) => `${pointer} ${detail}`);
const server = (overrides: Record<string, unknown>) => sampleServer('orders', overrides);

describe('what is wrong is said with its place', () => {
  test.each<[string, unknown, string[]]>([
    ['nothing', server({}), []],
    ['no document', undefined, [' is required']],
    ['a list', [], [' must be an object']],
    ['an empty document', {}, ['/name is required', '/type is required', '/upstream is required', '/agentAuth is required']],
    ['several at once', server({ name: 'Or ders', enabled: 'yes', upstream: { url: 'ftp://x' } }), [
      '/name must be lower-case letters, digits and single hyphens, such as "orders-eu"',
      '/upstream/url must begin with https:// or http://',
      '/enabled must be true or false',
    ]],
    ['unknown fields, each by its pointer', server({ nmae: 'x', upstream: { url: 'https://x.example', 'a/b': 1 } }), [
      '/upstream/a~1b is not a known field', '/nmae is not a known field',
    ]],
    ['an unknown authentication type', server({ agentAuth: { type: 'nonsense' } }), ['/agentAuth/type must be "interactive", "passthrough" or "api-key"']],
    ['no authentication type', server({ appAuth: {} }), ['/appAuth/type is required']],
    ['an authentication that is no object', server({ appAuth: 'bearer' }), ['/appAuth must be an object']],
    ['a field of another type', server({ appAuth: { type: 'none', token: 'x' } }), ['/appAuth/token is not a known field']],
    ['a secret that is no text', server({ appAuth: { type: 'bearer', token: 5 } }), ['/appAuth/token must be text or null or an object']],
    ['an empty secret', server({ appAuth: { type: 'bearer', token: '' } }), ['/appAuth/token must not be empty']],
    ['a secret with a line break', server({ appAuth: { type: 'bearer', token: 'a\nb' } }), ['/appAuth/token must not contain line breaks or other control characters']],
    ['a secret as it is not read', server({ appAuth: { type: 'bearer', token: { set: 'yes' } } }), ['/appAuth/token/set must be true or false']],
    ['no secret, and something else', server({ title: 5, appAuth: { type: 'bearer' } }), ['/title must be text', '/appAuth/token is required']],
    ['no secret', server({ appAuth: { type: 'bearer' } }), ['/appAuth/token is required']],
    ['a bad header name', server({ appAuth: { type: 'custom-headers', headers: [{ name: 'a b', value: 'x' }] } }), [
      '/appAuth/headers/0/name is not a header name: only letters, digits and !#$%&\'*+-.^_`|~ are allowed',
    ]],
    ['a reserved header', server({ appAuth: { type: 'api-key', in: 'header', name: 'Host', value: 'x' } }), [
      '/appAuth/name is written by the gateway or the protocol itself and cannot carry a credential',
    ]],
    ['a number out of bounds', server({ upstream: { url: 'https://x.example', timeouts: { connectSeconds: 0 } } }), [
      '/upstream/timeouts/connectSeconds must be more than 0',
    ]],
    ['a text that is too long', server({ title: 'x'.repeat(201) }), ['/title must have at most 200 characters']],
    ['another workspace', server({ workspace: 'other' }), ['/workspace is not the workspace of this URL']],
    ['another kind', server({ kind: 'App' }), ['/kind must be "Server"']],
    ['text that cannot be stored', server({ title: 'a\0b', description: '\ud800' }), [
      '/title must be well-formed text without NUL characters', '/description must be well-formed text without NUL characters',
    ]],
  ])('%s', (_name, body, expected) => {
    expect(lines(body).toSorted()).toEqual([...expected].toSorted());
  });
});

test('no value is quoted', () => {
  const marked = 'marked-value-7c1';
  const bodies = [
    server({ appAuth: { type: marked } }), server({ name: `${marked} !` }), server({ appAuth: { type: 'bearer', token: `${marked}\n` } }),
    server({ upstream: { url: marked } }), server({ kind: marked }), server({ type: marked }),
  ];
  for (const body of bodies) {
    const problems = problemsOf(body);
    expect(problems).not.toEqual([]);
    expect(JSON.stringify(problems)).not.toContain(marked);
  }
});

test('a deployment may refuse open servers', () => {
  const open = server({ agentAuth: { type: 'passthrough' } });
  expect(problemsOf(open)).toEqual([]);
  expect(problemsOf(open, { openServersAllowed: false })).toMatchObject([{ pointer: '/agentAuth', code: 'open_server' }]);
  const byOutboundHeader = server({ agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' }, outboundHeaders: [{ name: 'X-Key', source: { type: 'static', value: 'k' } }] });
  expect(problemsOf(byOutboundHeader, { openServersAllowed: false })).toMatchObject([{ pointer: '/agentAuth', code: 'open_server' }]);
  const harmless = server({ agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' } });
  expect(problemsOf(harmless, { openServersAllowed: false })).toEqual([]);
});

test('what reading adds is accepted and ignored; what is absent gets its default', () => {
  const { appAuth: _appAuth, ...bare } = server({ id: 'x', revision: 7, url: 'https://x.example', warnings: [], createdAt: 'x', updatedAt: 'x', kind: 'Server', workspace: 'default' });
  const { document } = readWrittenServer(bare, context);
  expect(document).toEqual({
    name: 'orders', type: 'mcp', upstream: { url: 'https://orders.example/mcp' }, agentAuth: { type: 'api-key' }, appAuth: { type: 'none' }, enabled: true,
  });
});
