import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { AbstractConnector, Cluster, type Command } from 'ioredis';
import type { RedisHost } from './redis-url.ts';

export const commandTimeoutMs = 5_000;

/** Until a connection that does not end is broken off. */
const disconnectTimeoutMs = 2_000;

/** A cluster on which every command is bounded in time, also while none of its nodes can be reached. */
export class BoundedCluster extends Cluster {
  override sendCommand(command: Command, ...others: unknown[]): unknown {
    command.setTimeout(commandTimeoutMs);
    return super.sendCommand(command, ...(others as []));
  }
}

/**
 * For a connection that may be to any node of a cluster, as subscriptions may: each attempt is made at the next one. The cluster's
 * own subscriber has no bounds in time, and says nothing when it has subscribed anew.
 * @param nodes those that are known at the moment
 */
export function anyNode(nodes: () => readonly RedisHost[], tls: ConnectionOptions | undefined): new () => AbstractConnector {
  // Many planes do not all begin at the same one.
  let turn = Math.floor(Math.random() * 1_000);
  return class extends AbstractConnector {
    constructor() {
      super(disconnectTimeoutMs);
    }

    override connect(): Promise<Socket> {
      const known = nodes();
      const { host, port } = known[(turn += 1) % known.length] as RedisHost;
      const stream = tls ? connectTls({ ...tls, host, port }) : connect({ host, port });
      stream.once('error', (error: Error) => void (this.firstError = error));
      this.connecting = true;
      this.stream = stream;
      return Promise.resolve(stream);
    }
  };
}
