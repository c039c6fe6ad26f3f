import type { Worker } from 'node:cluster';

/** What the primary process gives a worker a connection by, and how a worker says that it has it: `node:cluster` among itself. */
interface ClusterMessage {
  readonly cmd?: string;
  readonly act?: string;
  readonly seq?: number;
  readonly ack?: number;
}

interface ConnectionHandle {
  close(): void;
}

/**
 * Closes the connection that a worker was given and had not taken when it died. Node keeps it open for an answer that does not come
 * any more, and its caller would wait for as long. There is one at most: the next one is given when the last one was taken.
 */
export function closeWhatWasNotTaken({ process }: Worker): void {
  const send = process.send.bind(process) as (message: unknown, ...others: unknown[]) => boolean;
  let given: { readonly seq: number | undefined; readonly handle: ConnectionHandle } | undefined;
  process.send = (message: ClusterMessage, ...others: unknown[]): boolean => {
    const [handle] = others;
    if (message.cmd === 'NODE_CLUSTER' && message.act === 'newconn' && handle) given = { seq: message.seq, handle: handle as ConnectionHandle };
    return send(message, ...others);
  };
  process.on('internalMessage', ({ ack }: ClusterMessage) => {
    if (given !== undefined && ack === given.seq) given = undefined;
  });
  process.once('exit', () => given?.handle.close());
}
