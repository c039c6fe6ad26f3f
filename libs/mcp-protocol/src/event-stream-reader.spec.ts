import { describe, expect, it } from 'vitest';
import { EventStreamReader } from './event-stream-reader.ts';

const readAll = (reader: EventStreamReader, ...pieces: (string | Uint8Array)[]): string[] =>
  pieces.flatMap((piece) => reader.push(typeof piece === 'string' ? Buffer.from(piece) : piece)).map(({ type, data }) => `${type}=${data}`);

describe('WHATWG HTML 9.2.6: interpreting an event stream', () => {
  it.each([
    ['one event', ['data: a\n\n'], ['message=a']],
    ['a type', ['event: endpoint\ndata: /x\n\n'], ['endpoint=/x']],
    ['several lines of data', ['data: a\ndata: b\n\n'], ['message=a\nb']],
    ['carriage returns, alone and with line feeds', ['data: a\r\n\r\ndata: b\r\r'], ['message=a', 'message=b']],
    ['a carriage return and its line feed in two pieces', ['data: a\r', '\n\r', '\ndata: b\n\n'], ['message=a', 'message=b']],
    ['only one space taken after the colon', ['data:  a\n\ndata:b\n\n'], ['message= a', 'message=b']],
    ['comments and unknown fields', [': hi\nfoo: bar\ndata: a\n\n'], ['message=a']],
    ['a block without data', ['event: x\n\ndata: a\n\n'], ['message=a']],
    ['an event that the stream breaks off', ['data: a\n'], []],
    ['a byte order mark', ['\uFEFFdata: a\n\n'], ['message=a']],
  ])('%s', (_, pieces, expected) => {
    expect(readAll(new EventStreamReader(100), ...pieces)).toEqual(expected);
  });

  it('a character cut in two', () => {
    const bytes = Buffer.from('data: ü\n\n');
    expect(readAll(new EventStreamReader(100), bytes.subarray(0, 7), bytes.subarray(7))).toEqual(['message=ü']);
  });

  it('keeps the newest id and the time to wait', () => {
    const reader = new EventStreamReader(100);
    readAll(reader, 'id: 1\nretry: 500\ndata:\n\nid: 2\n\nretry: soon\n\n');
    expect([reader.lastEventId, reader.retryMs]).toEqual(['2', 500]);
  });

  it('refuses an event that is too long, however it arrives', () => {
    const reader = new EventStreamReader(10);
    expect(readAll(reader, 'data: abcd\n\ndata: abcd\n\n')).toHaveLength(2);
    expect(() => readAll(reader, 'data: ', 'abcde')).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
  });
});
