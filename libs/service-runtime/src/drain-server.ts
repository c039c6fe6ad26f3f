import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { performance } from 'node:perf_hooks';

export interface DrainOptions {
  /** For requests in flight; what is not over by then is broken off. */
  readonly timeoutMs: number;
  /** How long nothing may have come before connections that wait for a next request are closed. A second when absent. */
  readonly quietMs?: number;
  /** Told once nobody can connect any more. */
  readonly onClosed?: () => void;
}

const sweepMs = 50;
/** A turn that took longer had something to do. */
const calmMs = 0.1;
/** A busy process has no such turn. */
const calmWithinMs = 250;

/**
 * Lets an HTTP server go without a reset: nobody can connect any more, requests in flight finish, and each connection that is
 * kept open answers one more request, with `Connection: close` (RFC 9112, 9.6). Idle ones are closed when whoever keeps them
 * has stopped using them: a request on its way to a connection that is being closed is lost, and if it is a POST, nothing
 * between caller and server may send it again. Resolves when the last connection is closed.
 */
export async function drainServer(server: Server, { timeoutMs, quietMs = 1_000, onClosed }: DrainOptions): Promise<void> {
  let cameAt = performance.now();
  const onRequest = (_request: IncomingMessage, response: ServerResponse): void => {
    cameAt = performance.now();
    response.shouldKeepAlive = false;
  };
  const events = ['request', 'checkContinue'] as const;
  // A connection that the system has accepted and this process has not is reset when the listening socket is closed: so that
  // is done right after a look at what has come, and before anybody is given a reason to connect again.
  await calmTurn();
  const closed = new Promise<void>((resolve) => {
    // Of its parent class: an HTTP server's own close() also closes what is idle at the moment.
    NetServer.prototype.close.call(server, () => resolve());
  });
  for (const event of events) server.prependListener(event, onRequest);
  onClosed?.();
  const sweep = setInterval(() => {
    if (performance.now() - cameAt >= quietMs) setImmediate(() => server.closeIdleConnections());
  }, sweepMs);
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
  for (const event of events) server.removeListener(event, onRequest);
}

/** Resolves after a turn of the event loop in which there was next to nothing to do; a busy process gets none, and then any will do. */
async function calmTurn(): Promise<void> {
  const last = performance.now() + calmWithinMs;
  for (let began = performance.now(); began < last; began = performance.now()) {
    await new Promise((resolve) => void setImmediate(resolve));
    if (performance.now() - began < calmMs) return;
  }
}
