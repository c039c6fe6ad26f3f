import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { a: 1 } } };

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane();
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

const post = (server: string, headers: Record<string, string> = {}, body: unknown = call): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${server}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(body),
  });

describe('a tool call', () => {
  it('reaches the upstream with the stored credential and none of the caller’s headers', async () => {
    await dataPlane.publish({ name: 'orders', upstream: { url: upstream.url }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'stored-key' } });
    const seen = upstream.nextRequest();
    const response = await post('orders', { authorization: 'Bearer callers', cookie: 'a=b', 'x-api-key': 'callers', 'x-tenant': 't' });
    expect(response.status).toBe(200);
    const request = await seen;
    expect(headerValue(request, 'x-api-key')).toBe('stored-key');
    expect(request.rawHeaders.join('\n')).not.toContain('callers');
    expect(JSON.parse(request.body.toString())).toEqual(call);
    const names = request.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(names.sort()).toEqual(['accept', 'connection', 'content-length', 'content-type', 'host', 'user-agent', 'x-api-key']);
  });
});
