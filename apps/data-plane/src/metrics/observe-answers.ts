import { Histogram, type Registry } from 'prom-client';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenMethod } from '../pipeline/read-call.ts';

/** As for stages. */
const oneIn = 32;

/**
 * What whole answers take, to their last byte, of one request in 32. Not of those that only listen: they last as long as someone
 * does.
 */
export function observeAnswers(registry: Registry, now: () => number): (message: IncomingMessage, response: ServerResponse) => void {
  const durations = new Histogram({
    name: 'gatehouse_answer_duration_seconds',
    help: 'From a request to the last byte of its answer, or until its caller left, of one request in 32; without GET and subscriptions/listen.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600],
    registers: [registry],
  });
  let requests = 0;
  return (message, response) => {
    if (message.method === 'GET' || (requests += 1) % oneIn !== 0 || listens(message)) return;
    const startedAt = now();
    response.on('close', () => durations.observe((now() - startedAt) / 1000));
  };
}

/** Whoever speaks a revision that has it says so in a header, which is checked against the message (MCP 2026-07-28). */
const listens = ({ headers }: IncomingMessage): boolean => headers['mcp-method'] === listenMethod;
