import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { listenOnLoopback } from './listen.ts';

/** A line to Redis on which published messages can get lost, and nothing else. */
export interface DeafLine {
  readonly url: string;
  /** Messages that got lost. */
  readonly lost: number;
  setDeaf(isDeaf: boolean): void;
  /** So many of the next ones get lost. */
  lose(count: number): void;
  close(): Promise<void>;
}

/** How a message for a subscriber begins (RESP2 and RESP3); small as they are here, each comes in one piece. */
const message = /^[*>]3\r\n\$7\r\nmessage\r\n/;

export async function startDeafLine(redis: { readonly port: number }): Promise<DeafLine> {
  const open = new Set<Socket>();
  let isDeaf = false;
  let toLose = 0;
  let lost = 0;
  const server = createServer((client) => {
    const target = connect(redis.port, '127.0.0.1');
    for (const [socket, other] of [[client, target], [target, client]] as const) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk) => void target.write(chunk));
    target.on('data', (chunk: Buffer) => {
      if ((isDeaf || toLose > 0) && message.test(chunk.toString('latin1'))) {
        lost += 1;
        toLose = Math.max(0, toLose - 1);
      } else client.write(chunk);
    });
  });
  const port = await listenOnLoopback(server);
  return {
    url: `redis://127.0.0.1:${port}`,
    get lost() {
      return lost;
    },
    setDeaf: (deaf) => void (isDeaf = deaf),
    lose: (count) => void (toLose = count),
    close: async () => {
      for (const socket of open) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
