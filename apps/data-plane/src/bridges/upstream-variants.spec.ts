import { describe, expect, it } from 'vitest';
import type { UpstreamRequest } from '../pipeline/request.ts';
import { toListen, toPath } from './upstream-variants.ts';

const outgoing = (path: string): UpstreamRequest => ({
  method: 'POST',
  path,
  headers: ['Accept', '*/*', 'content-type', 'application/json', 'Authorization', 'Bearer x'],
  body: Buffer.from('{}'),
  listens: false,
  responseTimeoutMs: 1,
  idleTimeoutMs: 2,
});

describe('a request made of another', () => {
  it('to listen carries the credentials and no body', () => {
    expect(toListen(outgoing('/sse'))).toEqual({
      method: 'GET',
      path: '/sse',
      headers: ['Authorization', 'Bearer x', 'accept', 'text/event-stream'],
      body: undefined,
      listens: true,
      responseTimeoutMs: 1,
      idleTimeoutMs: 0,
    });
  });

  it('to another path takes its query keys along', () => {
    const withCredentials = (path: string): string => `${path}?key=k`;
    expect(toPath({ ...outgoing('/sse?a=b&key=k'), withCredentials }, '/m').path).toBe('/m?key=k');
    expect(toPath(outgoing('/sse?a=b'), '/m').path).toBe('/m');
  });
});
