import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Cores } from '../cores.ts';

/** What the figures are of. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  /** Whether proxies had a core to themselves, as far as the bench can see to that. */
  readonly pinned: boolean;
}

/** @param cores those that were there before the bench pinned itself to one */
export const describeMachine = ({ proxy }: Cores, cores = availableParallelism()): Machine => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  pinned: proxy !== undefined,
});
