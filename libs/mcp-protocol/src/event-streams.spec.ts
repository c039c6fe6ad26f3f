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
    let passed = '';
    for (const chunk of chunks) {
      const result = event.push(Buffer.from(chunk, 'latin1'));
      if (result.state === 'invalid') return 'invalid';
      passed += result.output.toString('latin1');
      if (result.state === 'rewritten') return passed;
    }
    return `waiting after ${JSON.stringify(passed)}`;
  };

  it.each([
    ['whole', ['event: endpoint\ndata: /m?s=1\n\n'], 'event: endpoint\ndata: /ours?was=/m?s=1\n\n'],
    ['in pieces', ['event: end', 'point\nda', 'ta: /m\n', '\n'], 'event: endpoint\ndata: /ours?was=/m\n\n'],
    ['with carriage returns', ['event: endpoint\r\ndata: /m\r\n\r\n'], 'event: endpoint\ndata: /ours?was=/m\n\n'],
    ['with another event behind it', ['event: endpoint\ndata: /m\n\nevent: message\ndata: \xff\n\n'], 'event: endpoint\ndata: /ours?was=/m\n\nevent: message\ndata: \xff\n\n'],
    ['after a comment', [': hi\n\n', 'event: endpoint\ndata: /m\n\n'], ': hi\n\nevent: endpoint\ndata: /ours?was=/m\n\n'],
    ['after a comment in the same piece', [': hi\n\nevent: endpoint\ndata: /m\n\n'], ': hi\n\nevent: endpoint\ndata: /ours?was=/m\n\n'],
    ['not there yet', ['event: endpoint\n'], 'waiting after ""'],
    ['not there yet, but a comment', [': hi\n\nevent: endp'], 'waiting after ": hi\\n\\n"'],
    ['another event first', ['event: message\ndata: {}\n\n'], 'invalid'],
    ['no event at all', ['x'.repeat(20_000)], 'invalid'],
  ])('%s', (_name, chunks, expected) => {
    expect(rewrite(chunks)).toBe(expected);
  });

  it('is found behind a hundred thousand comments, which are not kept', () => {
    expect(rewrite([':\n\n'.repeat(100_000), ':\n\n'.repeat(100_000), 'event: endpoint\ndata: /m\n\n'])).toMatch(/:\n\nevent: endpoint\ndata: \/ours\?was=\/m\n\n$/);
  });

  it('is refused where the endpoint is not acceptable', () => {
    expect(rewrite(['event: endpoint\ndata: https://evil.example/\n\n'], () => undefined)).toBe('invalid');
  });
});
