import type { Redis } from 'ioredis';
import { appendScript, removeScript, waitingScript } from './call-event-scripts.ts';
import type { CallEventStream } from './call-event-stream.ts';
import { openRedis, type RedisConnectionOptions } from './redis-connection.ts';
import { redisKeys } from './redis-keys.ts';

export interface RedisCallEventStreamOptions extends RedisConnectionOptions {
  /** What may wait; 200,000 when absent, of about half a KB each. */
  readonly maxEvents?: number;
  /** After how long a batch that somebody took, and did not store, is taken by another one; 15 seconds when absent. */
  readonly claimAfterMs?: number;
}

const key = redisKeys.callEvents;
const keys = [key, redisKeys.callEventCount] as const;
const group = 'control-planes';
/** Whoever looks every second and has not for so long is dead. */
const deadAfterMs = 86_400_000;

type Entry = readonly [id: string, fields: readonly string[] | null];

/** The stream over Redis, on a connection of its own: however many events there are, configuration does not wait behind them. */
export function connectRedisCallEventStream({ maxEvents = 200_000, claimAfterMs = 15_000, ...options }: RedisCallEventStreamOptions): CallEventStream {
  const redis = openRedis(options);
  const consumers = new Set<string>();

  return {
    append: async (batch) => (await redis.eval(appendScript, keys.length, ...keys, maxEvents, batch.length, `[${batch.join(',')}]`)) as number,
    take: async (consumer, max, store) => {
      consumers.add(consumer);
      const entries = await withGroup(redis, () => nextEntries(redis, consumer, max, claimAfterMs));
      if (entries.length === 0) return 0;
      const batches = entries.flatMap(([, fields]) => fields?.[3] ?? []);
      if (batches.length > 0) await store(batches);
      await redis.eval(removeScript, keys.length, ...keys, group, ...entries.flatMap(([id, fields]) => [id, fields?.[1] ?? '0']));
      return batches.length;
    },
    waiting: async () => {
      const [batches, oldestMs] = (await redis.eval(waitingScript, 1, key)) as [number, number];
      return { batches, oldestMs: Math.max(0, oldestMs) };
    },
    close: async () => {
      if (redis.status === 'ready') await forgetConsumers(redis, ({ name }) => consumers.has(name)).catch(() => undefined);
      redis.disconnect();
    },
  };
}

/** First what this consumer could not store before, then what another one left behind, then what nobody has had yet. */
async function nextEntries(redis: Redis, consumer: string, max: number, claimAfterMs: number): Promise<readonly Entry[]> {
  const own = await read(redis, consumer, max, '0');
  if (own.length > 0) return own;
  const [, claimed] = (await redis.xautoclaim(key, group, consumer, claimAfterMs, '0', 'COUNT', max)) as [string, Entry[]];
  return claimed.length > 0 ? claimed : read(redis, consumer, max, '>');
}

async function read(redis: Redis, consumer: string, max: number, after: '0' | '>'): Promise<readonly Entry[]> {
  const answer = (await redis.xreadgroup('GROUP', group, consumer, 'COUNT', max, 'STREAMS', key, after)) as [string, Entry[]][] | null;
  return answer?.[0]?.[1] ?? [];
}

/** A Redis that was emptied, or is new, has no group: it is made, from the first entry on. */
async function withGroup<T>(redis: Redis, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!says(error, 'NOGROUP')) throw error;
  }
  await redis.xgroup('CREATE', key, group, '0', 'MKSTREAM').catch((error: unknown) => {
    // Another control plane was faster.
    if (!says(error, 'BUSYGROUP')) throw error;
  });
  return run();
}

const says = (error: unknown, code: string): boolean => error instanceof Error && error.message.startsWith(code);

interface Consumer {
  readonly name: string;
  readonly pending: number;
  readonly idleMs: number;
}

/** With a consumer everything goes that it took and did not store: only those go that have nothing. */
async function forgetConsumers(redis: Redis, isOver: (consumer: Consumer) => boolean): Promise<void> {
  const rows = (await redis.xinfo('CONSUMERS', key, group)) as unknown[][];
  for (const [, name, , pending, , idleMs] of rows as [string, string, string, number, string, number][]) {
    const consumer = { name, pending, idleMs };
    if (pending === 0 && (isOver(consumer) || idleMs > deadAfterMs)) await redis.xgroup('DELCONSUMER', key, group, name);
  }
}
