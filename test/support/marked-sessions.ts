import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { parentPort } from 'node:worker_threads';
import { makeCanary } from './canary.ts';
import { listenOnLoopback } from './listen.ts';

/*
 * Callers and their upstreams, in a thread of their own: what they send each other is in no memory of the thread that the gateway
 * is in, unless the gateway keeps it. Every request carries marks that were made for it: `listening` where a stream is opened
 * with it that stays open, `message` otherwise.
 *
 * Takes [step, url] and says the step when it is done. Begins with the port of the upstream.
 */

/** The upstream's open streams, the newest last. */
const streams: ServerResponse[] = [];
const whenListening = (): Promise<unknown> => once(server, 'listens');

const server = createServer((request, response) => {
  void buffer(request).then((body) => {
    const { id, method } = (body.length > 0 ? JSON.parse(body.toString()) : {}) as { id?: number; method?: string };
    const isSse = !request.url?.startsWith('/mcp');
    const answer = JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18' } });
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(isSse ? 'event: endpoint\ndata: /messages\n\n' : ': listening\n\n');
      streams.push(response);
      return void server.emit('listens');
    }
    if (isSse && id !== undefined) streams.at(-1)?.write(`event: message\ndata: ${answer}\n\n`);
    if (isSse || id === undefined) return void response.writeHead(202).end();
    // Its stream breaks off; the rest has to be asked for, and does not come.
    if (method === 'slow') return void response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: 1\ndata:\n\n');
    response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'upstream-session' }).end(answer);
  });
});

const marked = (purpose: string): Record<string, string> => ({ accept: 'application/json, text/event-stream', authorization: `Bearer ${makeCanary(purpose)}`, 'x-tenant': makeCanary(purpose) });

async function post(url: string, message: object, headers: Record<string, string> = marked('message')): Promise<Headers> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ jsonrpc: '2.0', ...message }) });
  await response.text();
  return response.headers;
}

let caller = new AbortController();
let session = '';

const steps: Record<string, (url: string) => Promise<unknown>> = {
  /** HTTP+SSE: a session that is listened to, with an answer that is waited for on a stream of its own. */
  open: async (url) => {
    caller = new AbortController();
    const response = await fetch(url, { headers: marked('listening'), signal: caller.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const endpoint = new URL(/data: (\S+)/.exec((await reader?.read())?.value ?? '')?.[1] ?? '', url).href;
    await post(endpoint, { id: 0, method: 'initialize', params: { mark: makeCanary('message') } });
    await reader?.read();
    for (const message of [{ method: 'notifications/initialized' }, { id: 1, method: 'slow' }]) {
      const listens = whenListening();
      await post(endpoint, message);
      await listens;
    }
  },
  leave: () => Promise.resolve(caller.abort()),
  /** Streamable HTTP: a session and a call of it. */
  initialize: async (url) => {
    session = (await post(url, { id: 0, method: 'initialize', params: {} }, marked('listening'))).get('mcp-session-id') ?? '';
  },
  call: (url) => post(url, { id: 1, method: 'tools/list' }, { ...marked('message'), 'mcp-session-id': session }),
  end: (url) => fetch(url, { method: 'DELETE', headers: { 'mcp-session-id': session } }),
};

parentPort?.on('message', ([step, url]: [string, string]) => void steps[step]?.(url).then(() => parentPort?.postMessage(step)));
parentPort?.postMessage(await listenOnLoopback(server));
