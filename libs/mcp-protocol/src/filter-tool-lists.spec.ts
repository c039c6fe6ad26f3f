import { describe, expect, it } from 'vitest';
import { filterToolLists } from './filter-tool-lists.ts';

const mayCall = (name: string): boolean => !name.startsWith('hidden');
const filtered = (text: string): unknown => filterToolLists(text, mayCall);

describe('a list loses what may not be called, and nothing else changes', () => {
  it.each<[string, string]>([
    ['{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{"name":"hidden"},{"name":"b"}]}}', '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{"name":"b"}]}}'],
    [
      ' {"result" : { "tools" : [ {"name":"hidden1"} , { "name" : "a", "n": 12345678901234567890.10, "x":"é\\u00e9" } ], "nextCursor":"c" },"id":1.0}\n',
      ' {"result" : { "tools" : [{ "name" : "a", "n": 12345678901234567890.10, "x":"é\\u00e9" }], "nextCursor":"c" },"id":1.0}\n',
    ],
    ['{"result":{"tools":[{"name":"hidden"}]}}', '{"result":{"tools":[]}}'],
    ['{"result":{"tools":[{"title":"no name"},"text",7,{"name":7},{"name":"a"}]}}', '{"result":{"tools":[{"name":"a"}]}}'],
    ['{"result":{"tools":[{"n\\u0061me":"hidd\\u0065n"}]}}', '{"result":{"tools":[]}}'],
    ['{"result":{"tools":[{"name":"a","name":"hidden"},{"name":"hidden","name":"a"}]}}', '{"result":{"tools":[]}}'],
    ['{"result":{"tools":[{"name":"a"}],"tools":[{"name":"hidden"}]}}', '{"result":{"tools":[{"name":"a"}],"tools":[]}}'],
    ['[{"id":1,"result":{}},{"id":2,"result":{"tools":[{"name":"hidden"}]}}]', '[{"id":1,"result":{}},{"id":2,"result":{"tools":[]}}]'],
  ])('%s', (before, after) => {
    expect(filtered(before)).toEqual({ is: 'changed', text: after });
  });

  it('and is not for caches that others share (MCP 2026-07-28)', () => {
    const list = (scope: string, tools: string): string => `{"result":{"cacheScope":${scope},"ttlMs":60000,"tools":[${tools}]}}`;
    expect(filtered(list('"public"', '{"name":"hidden"}'))).toEqual({ is: 'changed', text: list('"private"', '') });
    expect(filtered(list('"public"', '{"name":"a"}'))).toEqual({ is: 'unchanged' });
  });
});

describe('is no list, or has nothing to lose', () => {
  it.each([
    '{"result":{"tools":[{"name":"a"},{"name":"b"}]}}',
    '{"result":{"tools":[]}}',
    '{"result":{"tools":{"name":"hidden"}}}',
    '{"result":{"structuredContent":{"tools":[{"name":"hidden"}]},"content":[]}}',
    '{"method":"sampling/createMessage","params":{"tools":[{"name":"hidden"}]}}',
    '{"tools":[{"name":"hidden"}]}',
    '"tools"',
    'no JSON at all',
    '',
  ])('%s', (text) => {
    expect(filtered(text)).toEqual({ is: 'unchanged' });
  });
});

it.each(['{"result":{"tools":[{"name":"hidden"}]}', '{"result":{"tools":[{"name":"hidden"},]}}', 'data: {"tools"'])('what may be a list and cannot be read is said to be so: %s', (text) => {
  expect(filtered(text)).toEqual({ is: 'unreadable' });
});

it('a large list takes its time, not the square of it', () => {
  const tools = Array.from({ length: 20_000 }, (_, index) => ({ name: index % 2 === 0 ? `hidden_${index}` : `tool_${index}`, description: '"quoted" \\ {[' }));
  const result = filterToolLists(JSON.stringify({ result: { tools } }), mayCall);
  if (result.is !== 'changed') throw new Error(result.is);
  expect((JSON.parse(result.text) as { result: { tools: unknown[] } }).result.tools).toEqual(tools.filter(({ name }) => mayCall(name)));
});
