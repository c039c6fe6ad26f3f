import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { prepareLimits } from '@gatehouse/call-limits';
import { writableServer } from '@gatehouse/gateway-config';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { LimitError } from '../../apps/data-plane/src/limits/limit-error.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = await readFile(`${root}docs/limits.md`, 'utf8');
const blocks = (language: string): string[] => [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, block = '']) => block);
const example = parse(await readFile(`${root}examples/limits.yaml`, 'utf8')) as { name: string; limits: NonNullable<ReturnType<typeof writableServer.parse>['limits']> };

it('shows limits that a server may have, those of the example', () => {
  const shown = blocks('yaml').map((block) => parse(block) as { limits: unknown });
  expect(shown).toEqual([{ limits: example.limits }]);
  const server = { name: 's', type: 'mcp', upstream: { url: 'https://a.example/mcp' }, agentAuth: { type: 'api-key' }, ...shown[0] };
  expect(writableServer.safeParse(server).error?.issues).toBeUndefined();
});

it('shows what a caller is told', () => {
  const rate = prepareLimits('w/s', example.limits).rates.find((one) => one.per === 'caller');
  const { per, calls, seconds, burst } = rate ?? expect.fail();
  const error = new LimitError({ limit: { per, calls, seconds, burst }, retryMs: 1_500 }, `default/${example.name}`);
  const { retryAfterSeconds, limit, code, publicMessage: message } = error;
  expect(JSON.parse(blocks('json')[0] ?? '')).toEqual({ jsonrpc: '2.0', id: 7, error: { code: -32_000, message, data: { code, server: `default/${example.name}`, retryAfterSeconds, limit } } });
});
