import { redirectBody } from '@gatehouse/egress';
import type { StreamedBody } from '../pipeline/request.ts';
import type { Deadlines, Slot } from './deadlines.ts';

/**
 * Reads away a body that nobody wants, so that its connection can be used again; one that is long or slow costs the connection.
 * @param onOver called once, when nothing more of it is in flight
 */
export function discardBody(body: StreamedBody, deadlines: Deadlines, onOver: () => void): void {
  let bytes = 0;
  let isOver = false;
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    if (slot !== undefined) deadlines.remove(slot);
    onOver();
  };
  const giveUp = (): void => {
    body.abort();
    over();
  };
  const expire = (): void => {
    slot = undefined;
    giveUp();
  };
  let slot: Slot | undefined = deadlines.add({ expire }, redirectBody.maxMs);
  body.pipe({
    write: (chunk) => {
      bytes += chunk.length;
      if (bytes > redirectBody.maxBytes) giveUp();
      return true;
    },
    end: over,
    fail: over,
  });
}
