import { createServer } from 'node:http';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface UntouchedServer {
  readonly port: number;
  readonly origin: string;
  /** Connections that anyone opened, whether or not something was sent through them. */
  readonly connections: number;
  close(): Promise<void>;
}

/** A server on the loopback address that nobody should come to; it would answer anything. */
export async function startUntouchedServer(): Promise<UntouchedServer> {
  let connections = 0;
  const server = createServer((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}'));
  server.on('connection', () => (connections += 1));
  const port = await listenOnLoopback(server);
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    close: () => closeHttpServer(server),
  };
}
