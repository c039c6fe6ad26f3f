import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The wall clock of processes, which can be wrong. */
export interface ShiftedClock {
  /** Of a process of Node's whose clock it is. */
  readonly environment: Record<string, string>;
  /** From now on: so much ahead of everyone else's, or behind. */
  shift(seconds: number): Promise<void>;
  remove(): Promise<void>;
}

/** Longer than processes take to look. */
const noticedMs = 200;

export async function makeShiftedClock(seconds = 0): Promise<ShiftedClock> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-clock-'));
  const file = join(folder, 'shift-ms');
  await writeFile(file, String(seconds * 1_000));
  return {
    environment: { SHIFTED_CLOCK_FILE: file, NODE_OPTIONS: `--import ${new URL('shift-clock.ts', import.meta.url).href}` },
    shift: async (to) => {
      // Never half a number.
      await writeFile(`${file}.new`, String(to * 1_000));
      await rename(`${file}.new`, file);
      await delay(noticedMs);
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
