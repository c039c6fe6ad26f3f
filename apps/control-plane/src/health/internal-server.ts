import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { drainServer } from '@gatehouse/service-runtime';
import type { Registry } from 'prom-client';
import type { Readiness } from './readiness.ts';

export interface InternalAnswer {
  readonly status: number;
  readonly body: object;
}

/** What answers at a path of its own. */
export type InternalRoute = (request: IncomingMessage) => Promise<InternalAnswer>;

export interface InternalServer {
  readonly url: string;
  /** From now on; before, and after `undefined`, the path is not ready. */
  serve(path: string, route: InternalRoute | undefined): void;
  /** Before `close`: what is asked is answered. */
  drain(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface InternalServerOptions {
  readonly host: string;
  readonly port: number;
  readonly readiness: Readiness;
  readonly registry: Registry;
}

/** Health, metrics and what data planes ask for, on a port of their own that no ingress points at. It answers before anything else is up. */
export async function startInternalServer({ host, port, readiness, registry }: InternalServerOptions): Promise<InternalServer> {
  const routes = new Map<string, InternalRoute | undefined>();
  const server = createServer((request, response) => {
    answer(request, response, { readiness, registry, routes }).catch(() => response.destroy());
  });
  server.listen(port, host);
  await once(server, 'listening');
  const { address, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${reachable(address)}:${taken}`,
    serve: (path, route) => void routes.set(path, route),
    drain: (timeoutMs) => drainServer(server, { timeoutMs }),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Answering {
  readonly readiness: Readiness;
  readonly registry: Registry;
  readonly routes: ReadonlyMap<string, InternalRoute | undefined>;
}

async function answer(request: IncomingMessage, response: ServerResponse, { readiness, registry, routes }: Answering): Promise<void> {
  const path = request.url?.split('?', 1)[0];
  if (path === '/livez') return sendJson(response, 200, { status: 'alive' });
  if (path === '/readyz') {
    const report = await readiness.report();
    return sendJson(response, report.status === 'unready' ? 503 : 200, report);
  }
  if (path === '/metrics') {
    response.writeHead(200, { 'Content-Type': registry.contentType }).end(await registry.metrics());
    return undefined;
  }
  if (path?.startsWith('/internal/')) {
    const route = routes.get(path);
    const { status, body } = route ? await route(request) : routeless(routes.has(path));
    return sendJson(response, status, body);
  }
  return sendJson(response, 404, { status: 'not_found' });
}

/** It is being started, or stopped. */
const routeless = (isKnown: boolean): InternalAnswer => (isKnown ? { status: 503, body: { code: 'not_ready' } } : { status: 404, body: { status: 'not_found' } });

function sendJson(response: ServerResponse, status: number, body: object): undefined {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(JSON.stringify(body));
}

/** A wildcard address is one to listen on, not one to call. */
export function reachable(address: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return address.includes(':') ? `[${address}]` : address;
}
