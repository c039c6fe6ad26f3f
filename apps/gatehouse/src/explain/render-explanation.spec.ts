import type { Explanation } from '@gatehouse/control-plane';
import { expect, it } from 'vitest';
import { renderExplanation } from './render-explanation.ts';
import { wrapText } from './wrap-text.ts';

const verdict = (name: string, action: Explanation['verdicts'][number]['action'], more: object = {}) => ({ name, action, rule: 'rule', from: 'server' as const, explanation: 'Because of the rule, which is long enough to need more than one line of a narrow terminal.', ...more });
const explanation: Explanation = {
  request: { method: 'POST', url: 'https://up.example/mcp?key=…wxyz', headers: [{ name: 'X-Tenant-Id', value: 'ac\u001b[31mme', secret: false }, { name: 'X-Api-Key', value: '…wxyz', secret: true }] },
  verdicts: [verdict('X-Tenant', 'renamed', { outgoingName: 'X-Tenant-Id' }), verdict('Cookie', 'dropped', { reason: 'blocked' }), verdict('X-Api-Key', 'set', { rule: 'appAuth api-key' })],
  credentials: [{ source: 'appAuth query', location: { in: 'query', name: 'key' } }],
  tokens: [{ name: 'Cookie', code: 'token_stays', detail: 'Cookie stays at the gateway.' }],
  warnings: [{ code: 'open_server', detail: 'Anyone may come.' }],
  assumptions: [],
};

it('answers the three questions, within the width, with nothing that a terminal would obey', () => {
  const text = renderExplanation(explanation, 80);
  const lines = text.split('\n');
  expect(lines[1]).toMatch(/^ {2}X-Tenant +leaves as X-Tenant-Id +Because of/);
  expect(text).toMatch(/^ {2}Cookie +dropped: blocked +Because/m);
  expect(text).toMatch(/^ {4}POST https:\/\/up\.example\/mcp\?key=…wxyz +appAuth query$/m);
  expect(text).toMatch(/^ {4}X-Tenant-Id +ac\ufffd\[31mme$/m);
  expect(text).toMatch(/^ {4}X-Api-Key +…wxyz +appAuth api-key$/m);
  expect(text).toMatch(/Your token\n {4}Cookie stays at the gateway\./);
  expect(text).toMatch(/Warnings\n {4}open_server: Anyone may come\./);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
});

it('what is set is no header of the caller, and a refused request has no other side', () => {
  const text = renderExplanation({ ...explanation, request: null, refused: { code: 'server_disabled', status: 404, message: 'This server is disabled.' } });
  expect(text).toContain('404 server_disabled: This server is disabled.');
  expect(text).not.toContain('The upstream gets');
  expect(text).not.toContain('X-Api-Key');
});

it('without a token that is said', () => {
  expect(renderExplanation({ ...explanation, tokens: [] })).toMatch(/Your token\n {4}None/);
});

it('words are wrapped, and none is cut', () => {
  expect(wrapText('one two  three four', 9)).toEqual(['one two', 'three', 'four']);
  expect(wrapText('a-very-long-word b', 5)).toEqual(['a-very-long-word', 'b']);
});
