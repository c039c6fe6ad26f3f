import { describe, expect, it } from 'vitest';
import { readEnvelopes, requestIds, withResponseId } from './rpc-envelope.ts';

const read = (message: unknown): unknown => readEnvelopes(JSON.stringify(message));

describe('the envelope of a message', () => {
  it.each([
    ['a request', { id: 0, method: 'ping' }, [{ kind: 'request', method: 'ping', id: 0, progressToken: null }]],
    ['a request that wants to know', { id: 0, method: 'a', params: { _meta: { progressToken: 't' } } }, [{ kind: 'request', method: 'a', id: 0, progressToken: 't' }]],
    ['a notification', { method: 'a' }, [{ kind: 'notification', method: 'a', cancels: null, progressToken: null }]],
    ['progress', { method: 'notifications/progress', params: { progressToken: 0 } }, [{ kind: 'notification', method: 'notifications/progress', cancels: null, progressToken: 0 }]],
    ['a cancellation', { method: 'notifications/cancelled', params: { requestId: 'x' } }, [{ kind: 'notification', method: 'notifications/cancelled', cancels: 'x', progressToken: null }]],
    ['an answer', { id: 'a', result: {} }, [{ kind: 'response', id: 'a', isError: false, protocolVersion: undefined }]],
    ['an error', { id: null, error: {} }, [{ kind: 'response', id: null, isError: true, protocolVersion: undefined }]],
    ['the answer to initialize', { id: 1, result: { protocolVersion: 'v' } }, [{ kind: 'response', id: 1, isError: false, protocolVersion: 'v' }]],
    ['no message', { id: 1 }, undefined],
    ['a batch with something else in it', [{ method: 'a' }, 1], undefined],
    ['an empty batch', [], undefined],
  ])('%s', (_, message, expected) => {
    expect(read(message)).toEqual(expected);
  });

  it('names what a batch asks', () => {
    const envelopes = readEnvelopes(JSON.stringify([{ id: 1, method: 'a' }, { method: 'b' }, { id: '1', method: 'c' }]));
    expect(requestIds(envelopes ?? [])).toEqual([1, '1']);
  });

  it('is undefined for what is not JSON', () => expect(readEnvelopes('{')).toBeUndefined());

  it('readdresses an error', () => {
    expect(JSON.parse(withResponseId('{"jsonrpc":"2.0","id":null,"error":{"code":-1}}', 7))).toEqual({ jsonrpc: '2.0', id: 7, error: { code: -1 } });
  });
});
