import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { TcpFaults } from './tcp-proxy.ts';

/**
 * Copies one direction: its end is passed on as an end, what is still on the way first, and a break as a break.
 * The other direction goes on. Faults are read anew for each piece.
 */
export async function pumpWithFaults(source: Socket, target: Socket, faults: TcpFaults): Promise<void> {
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      for (const piece of slices(chunk, faults.sliceBytes)) await send(piece, target, faults);
    }
    if (faults.mode !== 'timeout') target.end();
  } catch {
    target.destroy();
  }
}

async function send(piece: Buffer, target: Socket, faults: TcpFaults): Promise<void> {
  const delayMs = faults.latencyMs + (faults.bytesPerSecond > 0 ? (piece.length / faults.bytesPerSecond) * 1000 : 0);
  if (delayMs > 0) await pause(delayMs);
  if (faults.mode === 'timeout' || target.destroyed) return;
  if (!target.write(piece)) await Promise.race([once(target, 'drain'), once(target, 'close')]);
}

/** Slicing also defeats the kernel's joining: each piece is written in a turn of its own. */
function* slices(chunk: Buffer, sliceBytes: number): Generator<Buffer> {
  const size = sliceBytes > 0 ? sliceBytes : chunk.length;
  for (let start = 0; start < chunk.length; start += size) yield chunk.subarray(start, start + size);
}
