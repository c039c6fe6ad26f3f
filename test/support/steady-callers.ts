import { Agent, createServer, type IncomingMessage, request as sendRequest, type ServerResponse } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { FleetBehindNginx } from './fleet-behind-nginx.ts';
import { closeHttpServer, listenOnLoopback } from './listen.ts';
import { startSampleSseUpstream } from './mcp-sample-sse-upstream.ts';

/** What is done all the time, each by several callers on connections that they keep. */
export const steadyKinds = ['call', 'streamed call', 'upload', 'listener', 'HTTP+SSE session', 'read', 'write'] as const;
export type SteadyKind = (typeof steadyKinds)[number];

export interface SteadyReport {
  /** How often each went well; of a listener and a session, streams that came to an end as a whole. */
  readonly done: Readonly<Record<SteadyKind, number>>;
  /** What did not. */
  readonly failures: readonly string[];
}

export interface SteadyCallers {
  /** How often each went well so far. */
  readonly done: Readonly<Record<SteadyKind, number>>;
  /** Resolves when the last ones have ended. */
  stop(): Promise<SteadyReport>;
}

const mcp = (id: number, name: string): string => JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: { text: `text ${id}` } } });
const pieces = 8;
const piece = Buffer.alloc(20_000, 'x');

/** Load through the ingress, on both planes, of every kind that a replica's end could break off. */
export async function beginSteadyCallers(fleet: FleetBehindNginx): Promise<SteadyCallers> {
  const upstream = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  const origin = `http://127.0.0.1:${await listenOnLoopback(upstream)}`;
  const sse = await startSampleSseUpstream();
  await Promise.all([
    addServer(fleet, { name: 'load', type: 'mcp', upstream: { url: `${origin}/mcp` } }),
    addServer(fleet, { name: 'load-api', type: 'api', upstream: { url: origin }, tools: { operations: [{ name: 'ping', method: 'GET', path: '/ping' }] } }),
    addServer(fleet, { name: 'load-sse', type: 'mcp', upstream: { url: sse.url, transport: 'sse' } }),
  ]);
  const load = new Load(fleet);
  load.begin();
  return {
    done: load.done,
    stop: async () => {
      await load.stop();
      await Promise.all([closeHttpServer(upstream), sse.close()]);
      return { done: load.done, failures: load.failures };
    },
  };
}

async function addServer({ admin, dataPlanes }: FleetBehindNginx, document: { readonly name: string } & Readonly<Record<string, unknown>>): Promise<void> {
  const { status, body } = await admin.post('/v1/workspaces/default/servers', { agentAuth: { type: 'passthrough' }, ...document });
  if (status !== 201) throw new Error(`${document.name}: ${status} ${JSON.stringify(body)}`);
  for (const { process: { dataPlaneUrl } } of dataPlanes) {
    while ([404, 503].includes((await fetch(`${dataPlaneUrl}/mcp/default/${document.name}`, { method: 'PUT' })).status)) await delay(50);
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    const timer = setInterval(() => response.write('data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"tick"}}\n\n'), 100);
    return void response.on('close', () => clearInterval(timer));
  }
  const body = await buffer(request);
  if (request.url?.startsWith('/mcp') !== true) return void response.end(String(body.length));
  const { id, params } = JSON.parse(body.toString()) as { id: number; params: { name: string; arguments: { text: string } } };
  const result = JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: params.arguments.text }] } });
  if (params.name !== 'streamed') return void response.writeHead(200, { 'content-type': 'application/json' }).end(result);
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  for (let event = 0; event < pieces; event += 1) {
    await delay(100);
    response.write(`data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${id},"progress":${event}}}\n\n`);
  }
  response.end(`data: ${result}\n\n`);
}

class Load {
  readonly done: Record<SteadyKind, number> = { call: 0, 'streamed call': 0, upload: 0, listener: 0, 'HTTP+SSE session': 0, read: 0, write: 0 };
  readonly failures: string[] = [];
  readonly #fleet: FleetBehindNginx;
  readonly #over = new AbortController();
  readonly #callers: Promise<void>[] = [];
  #id = 0;

  constructor(fleet: FleetBehindNginx) {
    this.#fleet = fleet;
  }

  begin(): void {
    this.#repeat('call', 6, 10, (agent) => this.#call(agent));
    this.#repeat('streamed call', 3, 10, (agent) => this.#streamedCall(agent));
    this.#repeat('upload', 3, 10, (agent) => this.#upload(agent));
    this.#repeat('listener', 4, 10, (agent) => this.#listen(agent));
    this.#repeat('HTTP+SSE session', 3, 10, (agent) => this.#session(agent));
    this.#repeat('read', 2, 20, () => this.#read());
    this.#repeat('write', 1, 50, () => this.#write());
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#callers);
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  #repeat(kind: SteadyKind, callers: number, pauseMs: number, once: (agent: Agent) => Promise<unknown>): void {
    const repeat = async (): Promise<void> => {
      const agent = new Agent({ keepAlive: true });
      while (!this.#isOver) {
        try {
          await once(agent);
          this.done[kind] += 1;
        } catch (error) {
          // What is cut off at the end of the load is cut off by it.
          if (!this.#isOver) this.failures.push(`${new Date().toISOString()} ${kind}: ${String(error)}`);
        }
        await delay(pauseMs);
      }
      agent.destroy();
    };
    for (let caller = 0; caller < callers; caller += 1) this.#callers.push(repeat());
  }

  async #call(agent: Agent): Promise<void> {
    const id = (this.#id += 1);
    const response = await this.#send(agent, 'POST', '/mcp/default/load', mcp(id, 'echo'));
    expectText(response, await text(response), `"text ${id}"`);
  }

  async #streamedCall(agent: Agent): Promise<void> {
    const id = (this.#id += 1);
    const response = await this.#send(agent, 'POST', '/mcp/default/load', mcp(id, 'streamed'));
    expectText(response, await text(response), `"progress":${pieces - 1}`, `"text ${id}"`);
  }

  async #upload(agent: Agent): Promise<void> {
    const response = await this.#send(agent, 'POST', '/api/default/load-api/files', async (write) => {
      for (let sent = 0; sent < pieces; sent += 1) {
        write(piece);
        await delay(60);
      }
    });
    expectText(response, await text(response), String(pieces * piece.length));
  }

  /** Ends well where the stream does, in the way HTTP says that it does. */
  async #listen(agent: Agent): Promise<void> {
    const response = await this.#send(agent, 'GET', '/mcp/default/load');
    if (response.statusCode !== 200) expectText(response, await text(response));
    this.#over.signal.addEventListener('abort', () => response.destroy(), { once: true });
    await text(response);
  }

  /** Calls, one after the other, on the stream of one session; each that was accepted is answered there before the stream ends. */
  async #session(agent: Agent): Promise<void> {
    const response = await this.#send(agent, 'GET', '/sse/default/load-sse');
    if (response.statusCode !== 200) expectText(response, await text(response));
    const stream = new SessionStream(response);
    this.#over.signal.addEventListener('abort', () => response.destroy(), { once: true });
    const place = await stream.until(/data: (\/sse\S+)/);
    if (place === undefined) return;
    const posts = new Agent({ keepAlive: true });
    const post = async (body: string): Promise<boolean> => {
      const reply = await this.#send(posts, 'POST', place, body);
      const said = await text(reply);
      // The session went with its stream, and the message was not taken.
      if (reply.statusCode === 404 && stream.isOver) return false;
      if (reply.statusCode !== 202) throw new Error(`${reply.statusCode} ${said}`);
      return true;
    };
    const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'load', version: '1' } };
    if (await post(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }))) await stream.until(/"id":0/);
    while (!stream.isOver && !this.#isOver) {
      const id = (this.#id += 1);
      if (!(await post(mcp(id, 'echo')))) break;
      if ((await stream.until(new RegExp(`("text ${id}")`))) === undefined) throw new Error('accepted, and not answered');
      // As agents do: and the end of a stream that is on its way has come by then.
      await delay(300);
    }
    await stream.ended;
    posts.destroy();
  }

  async #read(): Promise<void> {
    const { status, body } = await this.#fleet.admin.get('/v1/workspaces/default/servers/load');
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  }

  async #write(): Promise<void> {
    const { status, body } = await this.#fleet.admin.patch('/v1/workspaces/default/servers/load', { title: `Load ${(this.#id += 1)}` }, { 'if-match': '*' });
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  }

  #send(agent: Agent, method: string, path: string, body?: string | ((write: (piece: Buffer) => void) => Promise<void>)): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { accept: 'application/json, text/event-stream', ...(body !== undefined && { 'content-type': 'application/json' }) };
      const request = sendRequest(new URL(path, this.#fleet.url), { method, headers, agent }, resolve).once('error', reject);
      if (typeof body !== 'function') return void request.end(body);
      body((sent) => void request.write(sent)).then(() => request.end(), reject);
    });
  }
}

/** What has come on a stream of events, and whether more may come. */
class SessionStream {
  /** Rejects where it is broken off. */
  readonly ended: Promise<void>;
  isOver = false;
  #text = '';

  constructor(response: IncomingMessage) {
    response.on('data', (chunk: Buffer) => void (this.#text += chunk.toString()));
    this.ended = finished(response);
    this.ended.then(() => (this.isOver = true), () => (this.isOver = true));
  }

  /** @returns what was found, or nothing where the stream has ended before */
  async until(wanted: RegExp): Promise<string | undefined> {
    for (;;) {
      const isOver = this.isOver;
      const found = wanted.exec(this.#text);
      if (found) {
        // What was read is not read again.
        this.#text = this.#text.slice(found.index + found[0].length);
        return found[1] ?? '';
      }
      if (isOver) return undefined;
      await delay(5);
    }
  }
}

function expectText({ statusCode }: IncomingMessage, said: string, ...wanted: string[]): void {
  if (statusCode !== 200 || !wanted.every((part) => said.includes(part))) throw new Error(`${statusCode} ${said.slice(0, 300)}`);
}
