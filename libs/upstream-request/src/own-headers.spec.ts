import { noGlobalPolicy, type ServerHeaderPolicy } from '@gatehouse/gateway-config';
import { expect, test } from 'vitest';
import { cleanHeaders } from './caller-headers.ts';
import { composeRequest } from './compose-request.ts';
import { prepareServer } from './prepared-server.ts';

function composed(headerPolicy: ServerHeaderPolicy, rows: readonly string[], ownHeaders: readonly string[]): { headers: string[]; dropped: (string | undefined)[][] } {
  const server = prepareServer('id', 'default', { name: 'pets', type: 'api', upstream: { url: 'https://pets.example' }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' }, tools: { operations: [] }, headerPolicy });
  const headers = cleanHeaders(rows, { maxBytes: 10_000, maxCount: 100 });
  const call = { method: 'POST', era: 'modern', body: '{}', upstreamSession: 'x', ownHeaders } as const;
  const { headers: leaving, verdicts } = composeRequest({ server, headerPolicy: noGlobalPolicy, call, rows, headers, credentials: [], path: '/', userAgent: 'gatehouse' });
  return { headers: leaving, dropped: verdicts.filter(({ action }) => action === 'dropped').map(({ name, reason, outgoingName }) => [name, reason, outgoingName].filter((part) => part !== undefined)) };
}

const mcp = ['Accept', 'application/json, text/event-stream', 'Content-Type', 'application/json', 'MCP-Protocol-Version', '2026-07-28', 'Mcp-Method', 'tools/call', 'Mcp-Name', 'x', 'Mcp-Param-Region', 'eu'];
const own = ['accept', 'text/csv', 'content-type', 'multipart/form-data; boundary=x', 'X-Mode', 'fast'];
const everything = { mode: 'all', overwriteBaseHeaders: true } as const;

test('nothing that is said of the MCP message is said of the API’s request, whatever may be overwritten', () => {
  const { headers, dropped } = composed(everything, mcp, own);
  expect(headers).toEqual([...own, 'user-agent', 'gatehouse']);
  expect(dropped).toContainEqual(['Accept', 'base_header_wins']);
  expect(dropped).toContainEqual(['Content-Type', 'base_header_wins']);
});

test.each<[string, ServerHeaderPolicy, string[], string[], string[]]>([
  ['an argument over a header that passes under its name', everything, ['X-Mode', 'slow', 'x_mode', 'slower'], ['X-Mode', 'fast'], ['X-Mode', 'base_header_wins']],
  ['an argument over a mapping to its name', { mode: 'mappings', mappings: [{ source: 'X-Speed', target: 'X-Mode' }] }, ['X-Speed', 'slow'], ['X-Mode', 'fast'], ['X-Speed', 'base_header_wins', 'X-Mode']],
  ['a restriction over both', { ...everything, restricted: ['x-mode'] }, ['X-Mode', 'slow'], [], ['X-Mode', 'restricted']],
])('%s', (_what, policy, rows, left, verdict) => {
  const { headers, dropped } = composed(policy, rows, own);
  const index = headers.indexOf('X-Mode');
  expect(index === -1 ? [] : headers.slice(index, index + 2)).toEqual(left);
  expect(headers).not.toContain('slow');
  expect(headers).not.toContain('slower');
  expect(dropped).toContainEqual(verdict);
});
