import { hash } from 'node:crypto';
import type { SharedBuckets, TakenTokens } from '@gatehouse/call-limits';
import type { Redis } from 'ioredis';
import { openRedis, type RedisConnectionOptions } from './redis-connection.ts';
import { redisKeys } from './redis-keys.ts';
import { takeScript } from './shared-bucket-script.ts';

export interface RedisSharedBucketsOptions extends RedisConnectionOptions {
  /** How long an answer is waited for, as calls wait for it; 250 when absent. */
  readonly timeoutMs?: number;
}

/** In these a connection may yet have its answer in time. */
const hopeful = new Set(['wait', 'connecting', 'connect', 'ready']);

/**
 * The shared buckets in Redis, on a connection of their own, which is opened when the first of them is asked: however slow Redis is with
 * them, configuration does not wait behind them. Callers and tools are in it by hashes.
 */
export function connectRedisSharedBuckets({ timeoutMs = 250, ...options }: RedisSharedBucketsOptions): SharedBuckets {
  let redis: Redis | undefined;
  return {
    take: async (key, { intervalMs, burst }, wanted, atLeast = 1) => {
      redis ??= openRedis(options);
      if (!hopeful.has(redis.status)) throw new Error(`the connection to Redis is ${redis.status}`);
      const taken = redis.eval(takeScript, 1, redisKeys.limit(hash('sha256', key, 'base64url')), intervalMs, burst, wanted, atLeast);
      const [granted, nextMicroseconds] = (await inTime(taken, timeoutMs)) as [number, number];
      return { granted, nextMs: nextMicroseconds / 1_000 } satisfies TakenTokens;
    },
    close: () => {
      redis?.disconnect();
      return Promise.resolve();
    },
  };
}

/** What is answered later was taken for nobody. */
function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(new Error(`Redis did not answer within ${ms} ms`));
  // Where this process was busy for so long the answer may have come, and be read in this very turn.
  const timer = setTimeout(() => setImmediate(giveUp), ms);
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
