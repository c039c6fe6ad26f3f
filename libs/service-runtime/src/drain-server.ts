import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { performance } from 'node:perf_hooks';

export interface DrainOptions {
  /** For requests in flight; what is not over by then is broken off. */
  readonly timeoutMs: number;
  /** How long nothing may have come before connections that wait for a next request are closed. A second when absent. */
  readonly quietMs?: number;
}

const sweepMs = 50;

/**
 * Lets an HTTP server go without a reset: nobody can connect any more, requests in flight finish, and each connection that is
 * kept open answers one more request, with `Connection: close` (RFC 9112, 9.6). Idle ones are closed when whoever keeps them
 * has stopped using them: a request on its way to a connection that is being closed is lost, and if it is a POST, nothing
 * between caller and server may send it again. Resolves when the last connection is closed.
 */
export async function drainServer(server: Server, { timeoutMs, quietMs = 1_000 }: DrainOptions): Promise<void> {
  let cameAt = performance.now();
  const onRequest = (_request: IncomingMessage, response: ServerResponse): void => {
    cameAt = performance.now();
    response.shouldKeepAlive = false;
  };
  const events = ['request', 'checkContinue'] as const;
  for (const event of events) server.prependListener(event, onRequest);
  // Right after the sockets were read: what had arrived by then is known, as a connection or as a request.
  await afterReading();
  const closed = new Promise<void>((resolve) => {
    // Of its parent class: an HTTP server's own close() also closes what is idle at the moment.
    NetServer.prototype.close.call(server, () => resolve());
  });
  const sweep = setInterval(() => {
    if (performance.now() - cameAt >= quietMs) setImmediate(() => server.closeIdleConnections());
  }, sweepMs);
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
  for (const event of events) server.removeListener(event, onRequest);
}

const afterReading = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
