import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerForMember, markRequests } from './member-requests.ts';

const request = (id: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, method: 'elicitation/create', params: {} });

describe('what members ask their client', () => {
  it('comes back to the member that asked, with the id that it gave', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer()), fc.constantFrom('orders', 'git-hub'), (id, member) => {
        const { id: marked } = JSON.parse(markRequests(request(id), member)) as { id: unknown };
        const answer = answerForMember(JSON.stringify({ jsonrpc: '2.0', id: marked, result: { action: 'accept' } }));
        expect(answer?.member).toBe(member);
        expect(JSON.parse(answer?.text ?? '')).toEqual({ jsonrpc: '2.0', id, result: { action: 'accept' } });
      }),
    );
  });

  it('two with the same id stay two', () => {
    expect(markRequests(request(1), 'a')).not.toBe(markRequests(request(1), 'b'));
  });

  it.each([
    ['an answer', '{"jsonrpc":"2.0","id":1,"result":{"method":"x"}}'],
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/progress","params":{"id":1}}'],
    ['no JSON', '{"method" "id"'],
    ['nothing', ''],
  ])('%s stays as it is', (_case, text) => {
    expect(markRequests(text, 'a')).toBe(text);
  });

  it('in a batch, each (MCP 2025-03-26)', () => {
    const marked = JSON.parse(markRequests(`[${request(1)},{"id":2,"result":{}}]`, 'a')) as { id: unknown }[];
    expect(marked.map(({ id }) => id)).toEqual(['gatehouse:a:1', 2]);
  });

  it.each(['{"id":1,"result":{}}', '{"id":"1","result":{}}', '{"id":"gatehouse:a:{","result":{}}', '{"result":{}}'])('%s answers no member', (text) => {
    expect(answerForMember(text)).toBeUndefined();
  });
});
