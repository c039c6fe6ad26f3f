import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* A rule for tools is worth as much as the agreement of two parsers on what is called. */

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
beforeAll(async () => {
  [upstream, dataPlane] = await Promise.all([startRecordingUpstream(), startInProcessDataPlane()]);
  await dataPlane.publish({ name: 'orders', upstream: { url: upstream.url }, access: { tools: { deny: ['delete_*'] } } });
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});
beforeEach(() => void (upstream.requests.length = 0));

const send = async (body: string, headers: Record<string, string> = {}): Promise<unknown> => {
  const response = await fetch(`${dataPlane.url}/mcp/default/orders`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  return ((await response.json()) as { error?: { code: number } }).error?.code;
};

it('a call that may be made is made, or the rest would say nothing', async () => {
  expect(await send('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_orders"}}')).toBeUndefined();
  expect(upstream.requests.length).toBe(1);
});

// V8 13.6 (Node 24): an escaped name is taken for one that an earlier document, of any caller, had in its place.
describe('an escaped name after a document that has it as it is written', () => {
  it.each([
    ['the method', '{"jsonrpc":"2.0","id":1,"m\\\\u006":1}', '{"jsonrpc":"2.0","id":1,"m\\u0065thod":"tools/call","params":{"name":"delete_orders"}}'],
    ['the parameters', '{"jsonrpc":"2.0","id":1,"method":"ping","p\\\\u006":1}', '{"jsonrpc":"2.0","id":1,"method":"tools/call","p\\u0061rams":{"name":"delete_orders"}}'],
    ['the tool', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\\\\u00":1}}', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"\\u006eame":"delete_orders"}}'],
  ])('is %s all the same', async (_, before, call) => {
    for (let count = 0; count < 3; count += 1) await send(before);
    upstream.requests.length = 0;
    expect(await send(call)).toBe(-32602);
    expect(upstream.requests).toEqual([]);
  });
});

// Go's encoding/json takes a name in any case, by Unicode's folding, and the last of several.
describe('a name in another case', () => {
  it.each([
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_orders","NAME":"delete_orders"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"delete_orders"}}',
    '{"jsonrpc":"2.0","id":1,"METHOD":"tools/call","params":{"name":"delete_orders"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","paramſ":{"name":"delete_orders"},"params":{"name":"read_orders"}}',
  ])('is refused: %s', async (body) => {
    expect(await send(body)).toBe(-32600);
    expect(upstream.requests).toEqual([]);
  });
});
