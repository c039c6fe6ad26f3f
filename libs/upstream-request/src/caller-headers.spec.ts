import { describe, expect, it } from 'vitest';
import { type CallerHeaders, cleanHeaders } from './caller-headers.ts';

const limits = { maxBytes: 200, maxCount: 4 };
const read = (...rows: string[]): Readonly<CallerHeaders> => cleanHeaders(rows, limits);

describe('what the gateway reads itself', () => {
  it('is found in any case', () => {
    expect(read('HOST', 'gateway.example', 'x-gatehouse-KEY', 'k', 'Mcp-Session-Id', 's')).toMatchObject({ host: 'gateway.example', gatehouseKey: 'k', sessionId: 's' });
  });

  it('is in no other spelling', () => expect(read('X_Gatehouse_Key', 'k', 'Mcp.Session.Id', 's')).toMatchObject({ gatehouseKey: undefined, sessionId: undefined }));

  it.each([
    [['a', 'b'], 'a, b'],
    [['', 'b'], 'b'],
    [['a', ''], 'a'],
    [['', ''], ''],
  ])('adds the rows of a list up: %j', (values, expected) => expect(read(...values.flatMap((value) => ['Accept', value])).accept).toBe(expected));

  it.each(['Authorization', 'X-Gatehouse-Key', 'Origin', 'Content-Length', 'If-Range', 'X-Upstream-Authorization'])('is refused where it may occur once and does not: %s', (name) => {
    expect(() => read(name, 'a', name.toLowerCase(), 'a')).toThrow(expect.objectContaining({ code: 'duplicate_header' }));
  });
});

describe('what Connection names', () => {
  it('is gone before it is read', () => {
    const { authorization, nominated } = read('Authorization', 'Bearer a', 'X_Hop', '1', 'Connection', 'close, AUTHORIZATION ,x_hop');
    expect([authorization, [...(nominated ?? [])].sort()]).toEqual([undefined, ['authorization', 'close', 'x-hop']]);
  });

  it('is not what a request is checked by: Host and Origin stay', () => {
    expect(read('Host', 'gateway.example', 'Origin', 'https://evil.example', 'Connection', 'host, origin')).toMatchObject({ host: 'gateway.example', origin: 'https://evil.example' });
  });

  it('is nothing in what almost every request says', () => expect(read('Connection', 'keep-alive').nominated).toBeUndefined());
  it('may be a tool’s parameter', () => expect(read('Mcp-Param-A', '1', 'Mcp-Param-B', '2', 'Connection', 'close, mcp-param-a').mcpParams).toEqual(['Mcp-Param-B', '2']));
});

describe('too much', () => {
  it.each([
    ['headers', ['A', '1', 'B', '2', 'C', '3', 'D', '4', 'E', '5']],
    ['bytes', ['A', 'x'.repeat(196)]],
  ])('%s', (_name, rows) => expect(() => cleanHeaders(rows, limits)).toThrow(expect.objectContaining({ code: 'headers_too_large' })));
  it('and just not', () => expect(() => cleanHeaders(['A', 'x'.repeat(195)], limits)).not.toThrow());
});
