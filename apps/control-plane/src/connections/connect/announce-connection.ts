import type { Logger } from '@gatehouse/service-runtime';
import type { SnapshotChannel } from '@gatehouse/snapshot-channel';

/** That someone connected: whoever waits for it need not ask. */
export interface ConnectedEvent {
  readonly connected: {
    /** The app, or the server that was discovered. */
    readonly owner: string;
    /** Absent: the organisation's. */
    readonly person?: string;
    /** MCP's `elicitationId`. */
    readonly linkId: string;
  };
}

/** A channel that carries events besides documents. */
interface EventChannel {
  publishEvent?(event: ConnectedEvent): Promise<void>;
}

/** Tells data planes, as well as can be: who misses it finds the connection with the next call. */
export async function announceConnection(channel: SnapshotChannel & EventChannel, event: ConnectedEvent, logger: Logger): Promise<void> {
  try {
    await channel.publishEvent?.(event);
  } catch (error) {
    logger.debug({ err: error }, 'data planes were not told of a connection');
  }
}
