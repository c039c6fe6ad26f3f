import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

/**
 * What becomes of a call: `well` is answered at once, `slow` after a while, `hanging` never, `endless` by an event stream that does
 * not end, `streaming` by one that has the answer after a while, `broken` by half an answer, `reset` by the end of its connection.
 */
export type UpstreamBehaviour = 'well' | 'slow' | 'hanging' | 'endless' | 'streaming' | 'broken' | 'reset';

export interface FaultyUpstream {
  readonly url: string;
  readonly origin: string;
  /** From the next call on. */
  behaviour: UpstreamBehaviour;
  /** Of `slow` and `streaming`. */
  slowMs: number;
  /** Calls that have come so far. */
  readonly calls: number;
  /** Ids of calls that have come more than once. */
  readonly repeated: readonly string[];
  /** Answers that are not over. */
  readonly open: number;
  close(): Promise<void>;
}

/** An MCP server of one tool whose calls are never to be repeated: each has an id of its own, and it counts them. */
export async function startFaultyUpstream(): Promise<FaultyUpstream> {
  const seen = new Set<string>();
  const repeated: string[] = [];
  let calls = 0;
  let open = 0;
  const server = createServer((request, response) => {
    open += 1;
    response.once('close', () => (open -= 1)).on('error', () => undefined);
    handle(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  const origin = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const upstream: FaultyUpstream = {
    url: `${origin}/mcp`, origin, repeated, behaviour: 'well', slowMs: 1_000,
    get calls() {
      return calls;
    },
    get open() {
      return open;
    },
    close: () => closeHttpServer(server),
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') return void response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': open\n\n');
    const message = JSON.parse(await text(request)) as { id?: string; method: string };
    if (message.id === undefined) return void response.writeHead(202).end();
    if (message.method === 'tools/call') {
      calls += 1;
      if (seen.has(message.id)) repeated.push(message.id);
      seen.add(message.id);
    }
    const key = request.headers['x-api-key'];
    const answer = JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { content: [{ type: 'text', text: typeof key === 'string' ? key : 'no key' }] } });
    await answerAs[upstream.behaviour](response, answer, upstream.slowMs);
  }
  return upstream;
}

const json = { 'Content-Type': 'application/json' };
const events = { 'Content-Type': 'text/event-stream' };

const answerAs: Record<UpstreamBehaviour, (response: ServerResponse, answer: string, slowMs: number) => Promise<void> | void> = {
  well: (response, answer) => void response.writeHead(200, json).end(answer),
  slow: async (response, answer, slowMs) => {
    await delay(slowMs);
    response.writeHead(200, json).end(answer);
  },
  hanging: () => undefined,
  endless: async (response) => {
    response.writeHead(200, events);
    // Fast enough to fill any memory in which it is kept, and slow enough to leave the machine to others.
    const event = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: randomBytes(12_000).toString('base64') } })}\n\n`;
    while (!response.destroyed) {
      if (response.writableLength < 262_144) response.write(event);
      await delay(20);
    }
  },
  streaming: async (response, answer, slowMs) => {
    response.writeHead(200, events).write(': begun\n\n');
    for (let piece = 0; piece < 10; piece += 1) {
      await delay(slowMs / 10);
      response.write(`data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${piece}"}}\n\n`);
    }
    response.end(`data: ${answer}\n\n`);
  },
  broken: async (response, answer) => {
    response.writeHead(200, { ...json, 'Content-Length': answer.length }).write(answer.slice(0, answer.length / 2));
    await delay(20);
    response.socket?.resetAndDestroy();
  },
  reset: (response) => void response.socket?.resetAndDestroy(),
};
