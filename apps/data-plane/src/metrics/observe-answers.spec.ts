import { createServer } from 'node:http';
import { Registry } from 'prom-client';
import { expect, it, vi } from 'vitest';
import { closeHttpServer, listenOnLoopback } from '../../../../test/support/listen.ts';
import { observeAnswers } from './observe-answers.ts';

it('one answer in 32 is measured, and none that lasts as long as somebody listens', async () => {
  const registry = new Registry();
  const observe = observeAnswers(registry, () => 0);
  let closed = 0;
  const server = createServer((message, response) => {
    observe(message, response);
    // After what `observe` has to say of it.
    response.on('close', () => (closed += 1)).end();
  });
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const ask = async (method: string, headers: Record<string, string>): Promise<string> => {
    for (let time = 0; time < 32; time += 1) await fetch(url, { method, headers });
    await vi.waitFor(() => expect(closed).toBe(32), 20_000);
    closed = 0;
    return /^gatehouse_answer_duration_seconds_count (\d+)$/m.exec(await registry.metrics())?.[1] ?? 'none';
  };
  try {
    expect(await ask('GET', {})).toBe('0');
    expect(await ask('POST', { 'mcp-method': 'subscriptions/listen' })).toBe('0');
    expect(await ask('POST', { 'mcp-method': 'tools/call' })).toBe('1');
  } finally {
    await closeHttpServer(server);
  }
});
