import type { Logger } from '@gatehouse/service-runtime';
import type { ChannelEvent, SnapshotChannel } from '@gatehouse/snapshot-channel';

/** Tells data planes, as well as can be: who misses it finds the connection with the next call. */
export async function announceConnection(channel: SnapshotChannel, event: ChannelEvent, logger: Logger): Promise<void> {
  try {
    await channel.publishEvent(event);
  } catch (error) {
    logger.debug({ err: error }, 'data planes were not told of a connection');
  }
}
