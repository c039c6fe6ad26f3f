import { describe, expect, it } from 'vitest';
import { type MessageHeaders, readMessage } from './read-message.ts';

const modern = '2026-07-28';
const headersOf = (headers: Partial<MessageHeaders> = {}): MessageHeaders => ({ protocolVersion: undefined, method: undefined, name: undefined, ...headers });
const read = (message: unknown, headers: Partial<MessageHeaders> = {}) => readMessage(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)), headersOf(headers));
const meta = { _meta: { 'io.modelcontextprotocol/protocolVersion': modern } };
const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo', ...meta } };

describe('a legacy message', () => {
  it.each([
    ['initialize', { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }, { method: 'initialize', id: 0 }],
    ['a call', { jsonrpc: '2.0', id: 'a', method: 'tools/call', params: { name: 'echo' } }, { method: 'tools/call', name: 'echo', id: 'a' }],
    ['a read', { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'x://y' } }, { name: 'x://y' }],
    ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }, { id: null }],
    ['a response', { jsonrpc: '2.0', id: 1, result: {} }, { method: undefined, id: 1 }],
    ['a batch', [{ jsonrpc: '2.0', id: 1, method: 'ping' }], { method: undefined }],
  ])('%s', (_name, message, expected) => {
    expect(read(message)).toMatchObject({ message: { era: 'legacy', ...expected } });
  });
});

describe('a modern message (MCP 2026-07-28, transports)', () => {
  it.each<[string, unknown, Partial<MessageHeaders>]>([
    ['a call', call, { protocolVersion: modern, method: 'tools/call', name: 'echo' }],
    ['a name in base64', { ...call, params: { ...call.params, name: 'grüße' } }, { protocolVersion: modern, method: 'tools/call', name: `=?base64?${Buffer.from('grüße').toString('base64')}?=` }],
    ['a list, which has no name', { ...call, method: 'tools/list', params: meta }, { protocolVersion: modern, method: 'tools/list' }],
    ['one without a version in it, which is for the upstream to refuse', { ...call, params: { name: 'echo' } }, { protocolVersion: modern, method: 'tools/call', name: 'echo' }],
  ])('%s', (_name, message, headers) => {
    expect(read(message, headers)).toMatchObject({ message: { era: 'modern' } });
  });

  it.each<[string, Partial<MessageHeaders>]>([
    ['another version', { protocolVersion: '2025-11-25', method: 'tools/call', name: 'echo' }],
    ['no version', { method: 'tools/call', name: 'echo' }],
    ['another method', { protocolVersion: modern, method: 'tools/list', name: 'echo' }],
    ['no method', { protocolVersion: modern, name: 'echo' }],
    ['another name', { protocolVersion: modern, method: 'tools/call', name: 'delete_all' }],
    ['no name', { protocolVersion: modern, method: 'tools/call' }],
  ])('is refused when its headers say %s', (_name, headers) => {
    expect(read(call, headers)).toMatchObject({ problem: 'header_mismatch', id: 7 });
  });

  it('is refused when its headers name what it does not', () => {
    expect(read({ ...call, method: 'tools/list', params: meta }, { protocolVersion: modern, method: 'tools/list', name: 'echo' })).toMatchObject({ problem: 'header_mismatch' });
  });

  it('is refused in a batch: nothing in it was compared with the headers', () => {
    expect(read([call], { protocolVersion: modern, method: 'tools/list' })).toMatchObject({ problem: 'not_a_message' });
  });
});

it('a modern message over HTTP+SSE, which has no headers to compare, is what it says', () => {
  expect(readMessage(Buffer.from(JSON.stringify(call)), undefined)).toEqual({ message: { era: 'modern', method: 'tools/call', name: 'echo', id: 7 } });
});

it.each([['', 'not_json'], ['{', 'not_json'], ['"text"', 'not_a_message'], ['null', 'not_a_message'], ['7', 'not_a_message'], [`${'['.repeat(50_000)}`, 'not_json']])('%.10s is %s', (body, problem) => {
  expect(read(body)).toMatchObject({ problem });
});
