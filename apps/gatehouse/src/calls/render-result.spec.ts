import { expect, it } from 'vitest';
import { renderResult } from './render-result.ts';

it('shows text as it is, and names what cannot be shown', () => {
  const data = Buffer.from('12345').toString('base64');
  expect(renderResult({ content: [{ type: 'text', text: 'one\n\ttwo' }, { type: 'image', mimeType: 'image/png', data }] })).toBe(
    'one\n\ttwo\n(image, image/png, 5 bytes; --json shows it)',
  );
});

it('shows structured content where there is nothing else', () => {
  expect(renderResult({ content: [], structuredContent: { sum: 3 } })).toBe('{\n  "sum": 3\n}');
});

it('never lets a tool send escape sequences to the terminal', () => {
  expect(renderResult({ content: [{ type: 'text', text: '\u001B]0;title\u0007\u009B31m' }] })).toBe('\uFFFD]0;title\uFFFD\uFFFD31m');
});
