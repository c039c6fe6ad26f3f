import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import { databaseErrorOf } from './database-errors.ts';

export interface AtStartOptions {
  readonly logger: Logger;
  /** Told what it waits for. */
  readonly onWaiting: (reason: string) => void;
}

const retryMs = 1_000;

/**
 * What a start needs to have stored, and may find stored: tried again while the database is away, or other replicas that start too
 * keep it busy.
 * @throws what `run` throws and does not pass by itself
 */
export async function atStart<T>(run: () => Promise<T>, { logger, onWaiting }: AtStartOptions): Promise<T> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!passesByItself(error)) throw error;
      onWaiting('database');
      logger.warn({ err: error }, 'the database did not take what a start needs; trying again');
      await delay(retryMs);
    }
  }
}

/** Read-only, and out of disk space: the database is there and does not take it. Nobody knows when it will. */
const refusals = new Set(['25006', '53100']);

function passesByItself(error: unknown): boolean {
  if (!(error instanceof GatewayError)) return false;
  // After `commit_unknown` the next look shows whether it was stored.
  return error.code === 'commit_unknown' || error.code === 'conflict' || (error.code === 'database_unavailable' && !refusals.has(databaseErrorOf(error.cause)?.code ?? ''));
}
