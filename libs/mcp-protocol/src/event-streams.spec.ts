import { describe, expect, it } from 'vitest';
import { EndpointEvent } from './endpoint-event.ts';
import { EventBoundary } from './event-boundary.ts';

describe('a comment may be put', () => {
  it.each([
    ['at the beginning', [], true],
    ['after an event', ['data: x\n\n'], true],
    ['after an event with carriage returns', ['data: x\r\n\r\n'], true],
    ['after an event whose end came in two pieces', ['data: x\n', '\n'], true],
    ['after an event whose end came in four pieces', ['data: x\r', '\n', '\r', '\n'], true],
    ['not inside a line', ['data: x'], false],
    ['not after one line', ['data: x\n'], false],
    ['not after one line with a carriage return', ['data: x\r\n'], false],
    ['not when the next event has begun', ['data: x\n\nd'], false],
  ])('%s', (_name, chunks, expected) => {
    const boundary = new EventBoundary();
    for (const chunk of chunks) boundary.push(Buffer.from(chunk));
    expect(boundary.atBoundary).toBe(expected);
  });
});

describe('the endpoint event', () => {
  const rewrite = (chunks: string[], replace = (endpoint: string): string | undefined => `/ours?was=${endpoint}`) => {
    const event = new EndpointEvent(replace);
    let result = event.push(Buffer.from(chunks[0] ?? '', 'latin1'));
    for (const chunk of chunks.slice(1)) if (result.state === 'incomplete') result = event.push(Buffer.from(chunk, 'latin1'));
    return result.state === 'rewritten' ? result.output.toString('latin1') : result.state;
  };

  it.each([
    ['whole', ['event: endpoint\ndata: /m?s=1\n\n'], 'event: endpoint\ndata: /ours?was=/m?s=1\n\n'],
    ['in pieces', ['event: end', 'point\nda', 'ta: /m\n', '\n'], 'event: endpoint\ndata: /ours?was=/m\n\n'],
    ['with carriage returns', ['event: endpoint\r\ndata: /m\r\n\r\n'], 'event: endpoint\ndata: /ours?was=/m\n\n'],
    ['with another event behind it', ['event: endpoint\ndata: /m\n\nevent: message\ndata: \xff\n\n'], 'event: endpoint\ndata: /ours?was=/m\n\nevent: message\ndata: \xff\n\n'],
    ['after a comment', [': hi\n\n', 'event: endpoint\ndata: /m\n\n'], ': hi\n\nevent: endpoint\ndata: /ours?was=/m\n\n'],
    ['not there yet', ['event: endpoint\n'], 'incomplete'],
    ['another event first', ['event: message\ndata: {}\n\n'], 'invalid'],
    ['no event at all', ['x'.repeat(20_000)], 'invalid'],
  ])('%s', (_name, chunks, expected) => {
    expect(rewrite(chunks)).toBe(expected);
  });

  it('is refused where the endpoint is not acceptable', () => {
    expect(rewrite(['event: endpoint\ndata: https://evil.example/\n\n'], () => undefined)).toBe('invalid');
  });
});
