import { expect, it } from 'vitest';
import { prepareServer } from './prepared-server.ts';

const upstreamWith = (timeouts: { connectSeconds?: number; responseSeconds?: number; streamIdleSeconds?: number }) =>
  prepareServer('1', 'default', { name: 'orders', type: 'mcp', upstream: { url: 'https://orders.example/mcp', timeouts }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' } }).upstream;

it.each([
  [60, 60_000],
  [0.0015, 2],
  [0.001, 1],
  // Rounded to 0 it would be no limit at all.
  [0.0004, 1],
  [Number.MIN_VALUE, 1],
])('a timeout of %d s is one of %d ms', (seconds, ms) => {
  const { connect, responseTimeoutMs, streamIdleTimeoutMs } = upstreamWith({ connectSeconds: seconds, responseSeconds: seconds, streamIdleSeconds: seconds });
  expect([connect.connectTimeoutMs, responseTimeoutMs, streamIdleTimeoutMs]).toEqual([ms, ms, ms]);
});

it('what a server does not say is the data plane’s to say', () => {
  expect(upstreamWith({})).toMatchObject({ connect: {}, responseTimeoutMs: undefined, streamIdleTimeoutMs: undefined });
});

it('knows whose it is', () => {
  expect(upstreamWith({}).server).toBe('default/1');
});
