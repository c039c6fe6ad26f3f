import { prepareServer } from '@gatehouse/upstream-request';
import { Secret } from '@gatehouse/sealing';
import { expect, test } from 'vitest';
import { credentialKindsOf } from './credential-kinds-of.ts';

const value = new Secret('key');
const server = (appAuth: 'none' | 'passthrough' | 'bearer', outboundHeaders: readonly unknown[] = []) =>
  prepareServer('1', 'default', {
    name: 'orders', type: 'mcp', upstream: { url: 'https://upstream.example/mcp' }, agentAuth: { type: 'passthrough' }, appAuth: appAuth === 'bearer' ? { type: 'bearer', token: value } : { type: appAuth }, outboundHeaders,
  } as Parameters<typeof prepareServer>[2]);
const identity = { name: 'X-User', required: false, source: { type: 'caller-identity', claim: 'email' } };
const fixed = { name: 'X-Key', source: { type: 'static', value } };
const sent = (...names: string[]) => names.map((name) => ({ in: 'header', name, value }) as const);

test.each([
  ['nothing', server('none'), [], ['none']],
  ['what the caller brings', server('passthrough'), [], ['caller']],
  ['a stored credential', server('bearer'), sent('Authorization'), ['stored']],
  ['a stored one twice', server('bearer', [fixed]), sent('Authorization', 'X-Key'), ['stored']],
  ['outbound headers beside it', server('bearer', [identity]), sent('Authorization', 'X-User'), ['stored', 'identity']],
  ['outbound headers alone', server('none', [fixed, identity]), sent('X-Key', 'X-User'), ['stored', 'identity']],
  ['one that was left out', server('none', [identity]), [], ['none']],
])('%s', (_name, prepared, credentials, kinds) => {
  expect(credentialKindsOf(prepared, credentials)).toEqual(kinds);
});
