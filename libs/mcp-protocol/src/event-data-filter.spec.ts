import { describe, expect, it } from 'vitest';
import { EventDataFilter } from './event-data-filter.ts';
import { EventStreamReader } from './event-stream-reader.ts';

const shout = (data: string): string => (data.includes('hush') ? data.replaceAll('hush', 'HUSH!') : data);
const through = (text: string, sizes: readonly number[] = [text.length * 4], replace = shout): string => {
  const filter = new EventDataFilter(1_000, replace);
  const bytes = Buffer.from(text);
  const output: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] as number;
    output.push(filter.push(bytes.subarray(at, (at += size))));
  }
  return Buffer.concat(output).toString();
};

describe('events whose data stays as it is pass byte by byte', () => {
  it.each([
    'data: a\n\n',
    'event: message\r\nid: 7\r\ndata:a\r\n\r\n',
    'data: a\r\rdata: b\r\r',
    ': comment\n\n',
    'retry: 10\n\n\n\ndata: é💡\n\n',
    '\ufeffdata: a\n\n',
    'data\n\n',
    'unknown: x\ndata: {"a":1,\ndata:  "b":2}\n\n',
    'data: a\n\r\ndata: b\r\n\ndata: c\n\r',
  ])('%j', (text) => {
    for (const sizes of [[1], [2], [3], [5, 1], [1_000]]) expect(through(text, sizes)).toBe(text);
  });

  it('also bytes that are no text', () => {
    const bytes = Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0xfe, 0x0a, 0x0a]);
    expect(new EventDataFilter(100, shout).push(bytes)).toEqual(bytes);
  });
});

describe('data that is replaced', () => {
  const readBack = (text: string): string[] => new EventStreamReader(10_000).push(Buffer.from(text)).map(({ data }) => data);

  it.each<[string, string]>([
    ['event: message\nid: 7\ndata: hush é\n\n', 'event: message\nid: 7\ndata: HUSH! é\n\n'],
    ['id: 7\r\ndata:hush\r\nretry: 5\r\n\r\n', 'id: 7\nretry: 5\ndata: HUSH!\n\n'],
    ['data: hush\rdata: hush\r\r', 'data: HUSH!\ndata: HUSH!\n\n'],
    ['\ufeffdata: hush\n\n', 'data: HUSH!\n\n'],
    [': quiet\ndata: hush\n\n', ': quiet\ndata: HUSH!\n\n'],
    ['data: a\n\ndata: hush\n\ndata: b\n\n', 'data: a\n\ndata: HUSH!\n\ndata: b\n\n'],
  ])('%j becomes %j', (before, after) => {
    for (const sizes of [[1], [2], [3], [7, 2], [1_000]]) expect(through(before, sizes).replaceAll('\n\n\n', '\n\n')).toBe(after);
  });

  it('is replaced wherever a client would find it, however the stream is cut and its lines end', () => {
    const ends = ['\n', '\r', '\r\n'];
    for (const first of ends) {
      for (const second of ends) {
        const text = `id: 1${first}data: hush${first}${second === '\n' && first === '\r' ? '\r\n' : second}data: next${second}${second}`;
        for (const sizes of [[1], [2], [3], [4], [100]]) {
          const after = through(text, sizes);
          expect(after).not.toContain('hush');
          expect(readBack(after).join()).toBe(readBack(text).join().replaceAll('hush', 'HUSH!'));
        }
      }
    }
  });
});

it('an event is held back until it is whole, and one that never ends is not passed on', () => {
  const filter = new EventDataFilter(100, shout);
  expect(filter.push(Buffer.from('data: a\n\ndata: hu')).toString()).toBe('data: a\n\n');
  expect(filter.push(Buffer.from('sh\n')).toString()).toBe('');
});

it('an event that is too large ends the stream', () => {
  const filter = new EventDataFilter(100, shout);
  filter.push(Buffer.from(`data: ${'x'.repeat(80)}`));
  expect(() => filter.push(Buffer.from('x'.repeat(80)))).toThrow(expect.objectContaining({ code: 'upstream_failed' }) as Error);
});

it('a long event is not looked through again with every piece of it', () => {
  const filter = new EventDataFilter(60_000_000, (data) => data);
  const piece = Buffer.alloc(1_000, 'x');
  filter.push(Buffer.from('data: '));
  for (let count = 0; count < 50_000; count += 1) filter.push(piece);
  expect(filter.push(Buffer.from('\n\n')).length).toBe(50_000_008);
});
