import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { listenOnLoopback } from './listen.ts';
import { pumpWithFaults } from './tcp-proxy-pump.ts';

export interface TcpFaults {
  /** Added to every chunk, in either direction. */
  latencyMs: number;
  /** `down` refuses connections and ends open ones; `timeout` accepts and swallows everything; `reset` sends RST. */
  mode: 'up' | 'down' | 'timeout' | 'reset';
  /** Chunks are cut into pieces of at most so many bytes; 0 = as they come. */
  sliceBytes: number;
  /** Per direction and connection; 0 = unlimited. */
  bytesPerSecond: number;
}

export interface TcpProxy {
  port: number;
  /** Connections accepted so far. */
  accepted(): number;
  /** Changes faults for open and for new connections. */
  set(faults: Partial<TcpFaults>): Promise<void>;
  /** Ends the open connections; new ones are accepted as before. */
  dropConnections(): void;
  /** The open connections stay open and carry nothing any more, as behind a firewall that has forgotten them; new ones are as before. */
  silenceConnections(): void;
  close(): Promise<void>;
}

const noFaults: TcpFaults = { latencyMs: 0, mode: 'up', sliceBytes: 0, bytesPerSecond: 0 };

/** A TCP proxy to `127.0.0.1:targetPort` (or `targetHost`) whose line can be made bad. */
export async function startTcpProxy(target: { targetPort: number; targetHost?: string; port?: number }): Promise<TcpProxy> {
  const faults: TcpFaults = { ...noFaults };
  const open = new Set<Socket>();
  /** Of the connections that are open: what is said of all, unless something else is said of them. */
  let own: TcpFaults = Object.create(faults) as TcpFaults;
  let accepted = 0;

  const track = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => open.delete(socket));
  };
  const accept = (client: Socket): void => {
    accepted += 1;
    track(client);
    if (faults.mode === 'reset') return void client.resetAndDestroy();
    if (faults.mode === 'timeout') return void client.resume();
    const upstream = connect({ port: target.targetPort, host: target.targetHost ?? '127.0.0.1', allowHalfOpen: true });
    track(upstream);
    void pumpWithFaults(client, upstream, own);
    void pumpWithFaults(upstream, client, own);
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  const port = await listenOnLoopback(server, target.port);

  const dropConnections = (): void => {
    for (const socket of open) socket.destroy();
  };
  const resetConnections = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    port,
    accepted: () => accepted,
    set: async (changes) => {
      Object.assign(faults, changes);
      if (faults.mode === 'reset') resetConnections();
      if (faults.mode === 'down') dropConnections();
      await setListening(server, port, faults.mode !== 'down');
    },
    dropConnections,
    silenceConnections: () => {
      own.mode = 'timeout';
      own = Object.create(faults) as TcpFaults;
    },
    close: async () => {
      dropConnections();
      await setListening(server, port, false);
    },
  };
}

async function setListening(server: Server, port: number, wanted: boolean): Promise<void> {
  if (server.listening === wanted) return;
  if (wanted) return void (await listenOnLoopback(server, port));
  const closed = once(server, 'close');
  server.close();
  await closed;
}
