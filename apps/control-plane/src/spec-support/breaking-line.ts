import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { listenOnLoopback } from '../../../../test/support/listen.ts';

export interface BreakingLine {
  /** The database, through this line. */
  readonly url: string;
  /** The next commit breaks the connection it is on: before Postgres has seen it, or once Postgres has answered it. */
  breakAtCommit(when: 'before' | 'after'): void;
  close(): Promise<void>;
}

/** A line to Postgres that can break at the one moment in which nobody knows what happened. */
export async function startBreakingLine(databaseUrl: string): Promise<BreakingLine> {
  const url = new URL(databaseUrl);
  const target = Number(url.port);
  const open = new Set<Socket>();
  let breaksAt: 'before' | 'after' | undefined;
  const server = createServer((client) => {
    const upstream = connect({ port: target, host: '127.0.0.1' });
    let isCut = false;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => (open.delete(socket), client.destroy(), upstream.destroy()));
    }
    client.on('data', (chunk) => {
      const when = chunk.includes('commit\0') ? breaksAt : undefined;
      if (when) breaksAt = undefined;
      if (when === 'before') return void client.destroy();
      isCut = when === 'after';
      upstream.write(chunk);
      return undefined;
    });
    upstream.on('data', (chunk) => void (isCut ? client.destroy() : client.write(chunk)));
  });
  url.port = String(await listenOnLoopback(server));
  return {
    url: url.href,
    breakAtCommit: (when) => void (breaksAt = when),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
