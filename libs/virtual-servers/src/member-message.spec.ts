import { firstModernRevision } from '@gatehouse/mcp-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asModernResult, nameHeaderOf, withCursor, withModernMeta, withOwnName } from './member-message.ts';
import { readVirtualRequest } from './read-request.ts';

const call = (params: object): string => JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params });

function renamed(text: string, own: string): string {
  const { method } = JSON.parse(text) as { method: string };
  const read = readVirtualRequest(Buffer.from(text), method);
  if ('ambiguous' in read || read.subject === undefined) throw new TypeError('has no subject');
  return withOwnName(read.text, read.subject, own);
}

describe('P32 a call as the member reads it', () => {
  it('has the member’s name, and everything else as it was', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.jsonValue(), fc.jsonValue(), (listed, own, args, meta) => {
        expect(renamed(call({ _meta: meta, name: listed, arguments: args }), own)).toBe(call({ _meta: meta, name: own, arguments: args }));
      }),
    );
  });

  it('keeps numbers, spelling, space and order as they were written', () => {
    const written = (name: string): string => `{"jsonrpc":"2.0", "id":"a", "method":"tools/call", "params": {"arguments":{ "id" : 12345678901234567890, "x": 1.0, "s": "\\u00e9\\/" }, "name" : "${name}"}} `;
    expect(renamed(written('gh_echo'), 'echo')).toBe(written('echo'));
  });

  it('a prompt that is completed has its own name', () => {
    const completion = (name: string): string => JSON.stringify({ method: 'completion/complete', params: { ref: { type: 'ref/prompt', name }, argument: { name: 'name', value: 'x' } } });
    expect(renamed(completion('gh_review'), 'review')).toBe(completion('review'));
  });
});

describe('a list as the member is asked for it', () => {
  it.each([
    ['the member’s cursor in the place of the caller’s', { cursor: 'ours', _meta: {} }, 'theirs', { _meta: {}, cursor: 'theirs' }],
    ['none from the beginning', { cursor: 'ours' }, undefined, {}],
    ['one where there were no parameters', undefined, 'theirs', { cursor: 'theirs' }],
  ])('%s', (_case, params, cursor, expected) => {
    expect(JSON.parse(withCursor(JSON.stringify({ id: 1, params }), cursor))).toEqual({ id: 1, params: expected });
  });
});

describe('between the eras', () => {
  it('a legacy call says who asks, and keeps what it said', () => {
    const text = withModernMeta(call({ name: 'echo', _meta: { progressToken: 3 } }), { protocolVersion: firstModernRevision, clientInfo: { name: 'c' } });
    expect(JSON.parse(text)).toMatchObject({
      params: { name: 'echo', _meta: { progressToken: 3, 'io.modelcontextprotocol/protocolVersion': firstModernRevision, 'io.modelcontextprotocol/clientInfo': { name: 'c' }, 'io.modelcontextprotocol/clientCapabilities': {} } },
    });
  });

  it('a legacy result is complete; what it says itself stands', () => {
    expect(JSON.parse(asModernResult('{"id":1,"result":{"content":[]}}', false))).toEqual({ id: 1, result: { content: [], resultType: 'complete' } });
    expect(JSON.parse(asModernResult('{"id":1,"result":{"contents":[]}}', true))).toMatchObject({ result: { ttlMs: 0, cacheScope: 'private' } });
    expect(asModernResult('{"id":1,"error":{"code":-32602}}', true)).toBe('{"id":1,"error":{"code":-32602}}');
  });

  it.each([
    ['echo', 'echo'],
    ['a b', 'a b'],
    ['été', '=?base64?w6l0w6k=?='],
    [' x', '=?base64?IHg=?='],
    ['=?base64?x?=', `=?base64?${Buffer.from('=?base64?x?=').toString('base64')}?=`],
    ['', '=?base64??='],
  ])('Mcp-Name of %j is %s', (name, header) => {
    expect(nameHeaderOf(name)).toBe(header);
  });
});

describe('what a message is about', () => {
  const read = (text: string, method: string) => readVirtualRequest(Buffer.from(text), method);

  it.each<[string, object, object | undefined]>([
    ['tools/call', { name: 'a' }, { kind: 'tools', listed: 'a' }],
    ['prompts/get', { name: 'a' }, { kind: 'prompts', listed: 'a' }],
    ['resources/read', { uri: 'file:///a' }, { kind: 'resources', listed: 'file:///a' }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'a' } }, { kind: 'prompts', listed: 'a' }],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'a/{b}' } }, { kind: 'resourceTemplates', listed: 'a/{b}' }],
    ['tools/call', { name: 3 }, undefined],
    ['ping', {}, undefined],
  ])('%s', (method, params, subject) => {
    const asked = read(JSON.stringify({ id: 1, method, params }), method);
    expect('subject' in asked ? asked.subject : undefined).toEqual(subject && (expect.objectContaining(subject) as object));
  });

  it.each([
    ['a name twice', '{"method":"tools/call","params":{"name":"a","name":"b"}}'],
    ['a name in another spelling too', '{"method":"tools/call","params":{"name":"a","Name":"b"}}'],
    ['parameters twice', '{"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}'],
    ['a batch', '[{"method":"tools/call","params":{"name":"a"}}]'],
  ])('is refused where it could be read in two ways: %s', (_case, text) => {
    expect(read(text, 'tools/call')).toHaveProperty('ambiguous');
  });

  it('is refused where it is no text', () => {
    expect(readVirtualRequest(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'tools/call')).toHaveProperty('ambiguous');
  });
});
