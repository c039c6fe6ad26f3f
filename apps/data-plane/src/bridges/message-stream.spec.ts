import { describe, expect, it } from 'vitest';
import type { BodySink } from '../pipeline/request.ts';
import { Backlog, MessageStream } from './message-stream.ts';

/** A reader that takes `room` events, and then no more until it is asked again. */
class Reader implements BodySink {
  readonly taken: string[] = [];
  room: number;

  constructor(room: number) {
    this.room = room;
  }

  write(chunk: Buffer): boolean {
    this.taken.push(chunk.toString());
    this.room -= 1;
    return this.room > 0;
  }

  end(): void {
    this.taken.push('end');
  }

  fail(): void {
    this.taken.push('failure');
  }
}

function open(maxBytes = 3): { stream: MessageStream; backlog: Backlog; heard: string[] } {
  const heard: string[] = [];
  const backlog = new Backlog(maxBytes, () => heard.push('room'));
  return { stream: new MessageStream(backlog, () => heard.push('gone')), backlog, heard };
}
const pushAll = (stream: MessageStream, events: string): void => [...events].forEach((event) => stream.push(Buffer.from(event)));

describe('what is pushed', () => {
  it('waits for a reader', () => {
    const { stream } = open();
    pushAll(stream, 'ab');
    stream.end();
    const reader = new Reader(9);
    stream.pipe(reader);
    expect(reader.taken).toEqual(['a', 'b', 'end']);
  });

  it('waits while the reader has enough, and is not lost', () => {
    const { stream } = open();
    const reader = new Reader(1);
    stream.pipe(reader);
    pushAll(stream, 'abc');
    stream.end();
    expect(reader.taken).toEqual(['a']);
    reader.room = 1;
    stream.resume();
    expect(reader.taken).toEqual(['a', 'b']);
    reader.room = 9;
    stream.resume();
    stream.resume();
    expect(reader.taken).toEqual(['a', 'b', 'c', 'end']);
  });

  it('fills the backlog until it is taken', () => {
    const { stream, backlog, heard } = open(2);
    pushAll(stream, 'ab');
    expect(backlog.isFull).toBe(true);
    stream.pipe(new Reader(9));
    expect([backlog.isFull, heard]).toEqual([false, ['room']]);
  });

  it('keeps its order when room for more brings more at once', () => {
    const reader = new Reader(9);
    let more = 'de';
    const backlog = new Backlog(3, () => {
      pushAll(stream, more);
      more = '';
    });
    const stream = new MessageStream(backlog, () => undefined);
    pushAll(stream, 'abc');
    stream.pipe(reader);
    expect(reader.taken.join('')).toBe('abcde');
  });

  it('is given up with its reader, who is reported once', () => {
    const { stream, backlog, heard } = open(2);
    pushAll(stream, 'ab');
    stream.abort();
    stream.abort();
    pushAll(stream, 'cd');
    expect([stream.isOpen, backlog.isFull, heard]).toEqual([false, false, ['room', 'gone']]);
  });

  it.each([
    ['open', false],
    ['ended, with some of it waiting', true],
  ])('ends its reader once when it is given up while %s', (_, isEnded) => {
    const { stream } = open();
    const reader = new Reader(1);
    stream.pipe(reader);
    pushAll(stream, 'ab');
    if (isEnded) stream.end();
    stream.abort();
    stream.abort();
    stream.end();
    stream.resume();
    expect(reader.taken).toEqual(['a', 'end']);
  });

  it('is over when it has ended: a reader that leaves then is not reported', () => {
    const { stream, heard } = open();
    stream.end();
    stream.abort();
    expect(heard).toEqual([]);
  });
});
