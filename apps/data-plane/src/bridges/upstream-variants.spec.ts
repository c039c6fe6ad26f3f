import { describe, expect, it } from 'vitest';
import type { UpstreamRequest } from '../pipeline/request.ts';
import { toListen, toPath } from './upstream-variants.ts';

const outgoing = (path: string): UpstreamRequest => ({
  method: 'POST',
  path,
  headers: ['Accept', '*/*', 'content-type', 'application/json', 'Authorization', 'Bearer x'],
  body: Buffer.from('{}'),
  responseTimeoutMs: 1,
  idleTimeoutMs: 2,
});

describe('a request made of another', () => {
  it('to listen carries the credentials and no body', () => {
    expect(toListen(outgoing('/sse'), { 'last-event-id': '5' })).toEqual({
      method: 'GET',
      path: '/sse',
      headers: ['Authorization', 'Bearer x', 'accept', 'text/event-stream', 'last-event-id', '5'],
      body: undefined,
      responseTimeoutMs: 1,
      idleTimeoutMs: 0,
    });
  });

  it.each([
    ['/sse', '/sse', '/m', '/m'],
    ['/sse?key=k', '/sse', '/m', '/m?key=k'],
    ['/sse?key=k&b=c', '/sse', '/m?s=1', '/m?s=1&key=k&b=c'],
    ['/sse?a=b&key=k', '/sse?a=b', '/m', '/m?key=k'],
  ])('from %s, of which %s is the upstream’s own, to %s: %4$s', (path, upstreamPath, other, expected) => {
    expect(toPath(outgoing(path), upstreamPath, other).path).toBe(expected);
  });
});
