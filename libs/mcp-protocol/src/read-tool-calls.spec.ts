import { describe, expect, it } from 'vitest';
import { readToolCalls } from './read-tool-calls.ts';

const read = (body: string | Buffer) => readToolCalls(Buffer.from(body as string));

describe('a body says which tools it calls', () => {
  it.each<[string, unknown[]]>([
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"orders","arguments":{"name":"other"}}}', [{ id: 1, call: { tool: 'orders' } }]],
    ['{"params":{"arguments":{"a":[{"name":"x"},"}\\"{"]},"name":"orders"},"method":"tools/call","id":"a"}', [{ id: 'a', call: { tool: 'orders' } }]],
    [' \n{ "method" : "tools\\/call" , "params" : { "n\\u0061me" : "ord\\u0065rs" } }\t', [{ id: null, call: { tool: 'orders' } }]],
    ['{"method":"tools/list","id":1,"params":{}}', [{ id: 1 }]],
    ['{"method":"tools/call","id":1}', [{ id: 1, call: { tool: undefined } }]],
    ['{"method":"tools/call","id":1,"params":["orders"]}', [{ id: 1, call: { tool: undefined } }]],
    ['{"method":"tools/call","id":1,"params":{"name":["orders"]}}', [{ id: 1, call: { tool: undefined } }]],
    ['{"id":1,"result":{"name":"x","Name":"y"}}', [{ id: 1 }]],
    ['{"method":7,"id":{}}', [{ id: null }]],
  ])('%s', (body, requests) => {
    expect(read(body)).toEqual({ requests, isBatch: false });
  });

  it('each of a batch', () => {
    const body = '[{"method":"tools/call","id":1,"params":{"name":"a"}},\n{"method":"notifications/x"} , {"method":"tools/call","id":2,"params":{"name":"b"}}]';
    expect(read(body)).toEqual({ isBatch: true, requests: [{ id: 1, call: { tool: 'a' } }, { id: null }, { id: 2, call: { tool: 'b' } }] });
    expect(read('[]')).toEqual({ isBatch: true, requests: [] });
  });
});

describe('what an upstream could read in another way is refused', () => {
  it.each([
    '{"method":"tools/call","id":1,"params":{"name":"allowed","name":"denied"}}',
    '{"method":"tools/call","id":1,"params":{"name":"denied"},"params":{"name":"allowed"}}',
    '{"method":"tools/call","method":"ping","id":1,"params":{"name":"denied"}}',
    '{"id":1,"id":2,"method":"tools/call","params":{"name":"allowed"}}',
    '{"jsonrpc":"2.0","jsonrpc":"1.0","id":1,"method":"ping"}',
    '{"method":"ping","m\\u0065thod":"tools/call","id":1}',
    '{"method":"tools/call","id":1,"params":{"name":"allowed","\\u006eame":"denied"}}',
    // Go reads a name in any case, and so may others.
    '{"method":"tools/call","id":1,"params":{"name":"allowed","Name":"denied"}}',
    '{"method":"tools/call","id":1,"params":{"NAME":"denied"}}',
    '{"Method":"tools/call","id":1,"params":{"name":"denied"}}',
    '{"method":"tools/call","id":1,"paramſ":{"name":"denied"},"params":{"name":"allowed"}}',
    '{"method":"tools/call","id":1,"Params":{"name":"denied"}}',
    '[{"method":"ping","id":1},{"method":"ping","METHOD":"tools/call","id":2}]',
    '[[{"method":"tools/call","id":1,"params":{"name":"denied"}}]]',
    '["x"]',
    '7',
  ])('%s', (body) => {
    expect(read(body)).toHaveProperty('ambiguous');
  });

  it('bytes that are no text', () => {
    expect(read(Buffer.from('{"method":"tools/call","id":1,"params":{"name":"de\xffnied"}}', 'latin1'))).toHaveProperty('ambiguous');
  });

  it.each([
    '{"method":"tools/call","id":1,"params":{"name":"a","arguments":{"name":"x","Name":"y","a":1,"a":2}}}',
    '{"method":"resources/read","id":1,"params":{"uri":"a","Name":"y","name":"x"}}',
    '{"id":1,"method":"tools/call","params":{"name":"a","x":1,"x":2},"extra":1,"Extra":2}',
  ])('what nobody can mistake is not: %s', (body) => {
    expect(read(body)).not.toHaveProperty('ambiguous');
  });
});

// The bug of V8 that json-text.spec.ts is about: whoever trusts in parsed names sees a message without a method.
it('a document that was parsed before changes nothing', () => {
  JSON.parse('{"id":1,"m\\\\u006":1}');
  expect(read('{"id":1,"m\\u0065thod":"tools/call","params":{"name":"denied"}}')).toEqual({ isBatch: false, requests: [{ id: 1, call: { tool: 'denied' } }] });
});
