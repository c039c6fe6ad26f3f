import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { CommandFailure } from '../command-failure.ts';

/** A port that nobody else can take until it is released, right before its owner listens on it. */
export interface ReservedPort {
  readonly port: number;
  release(): Promise<void>;
}

const host = '127.0.0.1';
/** Below the range from which systems give out ports by themselves, so that none of those takes it once it is released. */
const freePorts = { from: 20_000, to: 30_000 };
const attempts = 50;

/**
 * Reserves a port of the loopback address; 0 stands for any free one.
 * @throws CommandFailure that names the port and the flag.
 */
export async function reservePort(port: number, flag: string): Promise<ReservedPort> {
  if (port !== 0) return hold(port).catch((error: NodeJS.ErrnoException) => Promise.reject(unavailable(error, port, flag)));
  for (let attempt = 1; ; attempt += 1) {
    const candidate = randomInt(freePorts.from, freePorts.to);
    try {
      return await hold(candidate);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === attempts) throw unavailable(error as Error, candidate, flag);
    }
  }
}

async function hold(port: number): Promise<ReservedPort> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ port, host, exclusive: true });
  await once(server, 'listening');
  return {
    port,
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function unavailable(error: NodeJS.ErrnoException, port: number, flag: string): CommandFailure {
  const reason = error.code === 'EADDRINUSE' ? 'is already in use' : error.code === 'EACCES' ? 'may not be used by this user' : `cannot be used (${error.code})`;
  return new CommandFailure(`Port ${port} of ${host} ${reason}: choose another one with ${flag} <port>, or a free one with ${flag} 0.`, { cause: error });
}
