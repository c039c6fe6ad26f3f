import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerForMember, type FromMember, messagesOf } from './member-requests.ts';

const request = (id: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, method: 'elicitation/create', params: {} });
const of = (member: string | undefined, ...answered: unknown[]): FromMember => ({ asks: member, answers: (id) => answered.includes(id) });

describe('what members ask their client', () => {
  it('comes back to the member that asked, with the id that it gave', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer()), fc.constantFrom('orders', 'git-hub'), (id, member) => {
        const { id: marked } = JSON.parse(messagesOf(request(id), of(member)) ?? '') as { id: unknown };
        const answer = answerForMember(JSON.stringify({ jsonrpc: '2.0', id: marked, result: { action: 'accept' } }));
        expect(answer?.member).toBe(member);
        expect(JSON.parse(answer?.text ?? '')).toEqual({ jsonrpc: '2.0', id, result: { action: 'accept' } });
      }),
    );
  });

  it('two with the same id stay two', () => {
    expect(messagesOf(request(1), of('a'))).not.toBe(messagesOf(request(1), of('b')));
  });

  it('goes no further where nobody could answer it', () => {
    expect(messagesOf(request(1), of(undefined))).toBeUndefined();
  });

  it.each([
    ['an answer', '{"jsonrpc":"2.0","id":1,"result":{"method":"x"}}'],
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/progress","params":{"id":1}}'],
    ['nothing', ''],
  ])('%s stays as it is', (_case, text) => {
    expect(messagesOf(text, of('a', 1))).toBe(text);
  });

  it('in a batch, each (MCP 2025-03-26)', () => {
    const marked = JSON.parse(messagesOf(`[${request(1)},{"id":2,"result":{}},{"id":3,"result":{}}]`, of('a', 2)) ?? '') as { id: unknown }[];
    expect(marked.map(({ id }) => id)).toEqual(['gatehouse:a:1', 2]);
  });

  it('is taken back by the same id: a member takes back what it has asked itself', () => {
    const taken = messagesOf('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"gatehouse:b:7"}}', of('a'));
    expect(JSON.parse(taken ?? '')).toMatchObject({ params: { requestId: 'gatehouse:a:"gatehouse:b:7"' } });
  });

  it.each(['{"id":1,"result":{}}', '{"id":"1","result":{}}', '{"id":"gatehouse:a:{","result":{}}', '{"result":{}}'])('%s answers no member', (text) => {
    expect(answerForMember(text)).toBeUndefined();
  });
});

describe('what a member cannot say in the place of another', () => {
  it.each([
    ['an answer to what it was not asked', '{"jsonrpc":"2.0","id":77,"result":{}}'],
    ['an error in the place of one', '{"jsonrpc":"2.0","id":77,"error":{"code":1,"message":""}}'],
    ['an id in another type', '{"jsonrpc":"2.0","id":"3","result":{}}'],
    ['two ids, of which parsers take one or the other', '{"jsonrpc":"2.0","id":1,"id":"gatehouse:b:7","method":"elicitation/create","params":{}}'],
    ['two ids of an answer', '{"jsonrpc":"2.0","id":3,"id":77,"result":{}}'],
    ['an id in another spelling', '{"jsonrpc":"2.0","id":3,"ID":77,"result":{}}'],
    ['two methods', '{"jsonrpc":"2.0","method":"notifications/message","method":"elicitation/create","params":{}}'],
    ['a notification that is an answer too', '{"jsonrpc":"2.0","id":3,"method":"notifications/message","result":{}}'],
    ['what two requests it takes back', '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"requestId":"gatehouse:b:7"}}'],
    ['all of that in a batch', '[{"jsonrpc":"2.0","id":77,"result":{}}]'],
    ['what is no JSON', '{"jsonrpc":"2.0","id":77,"result":{NaN}}'],
    ['no message', '3'],
  ])('%s', (_case, text) => {
    expect(messagesOf(text, of('a', 3))).toBeUndefined();
  });
});
