import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { commandTimeoutMs } from './cluster-connection.ts';
import { openRedis, openSubscriber, type RedisConnectionOptions } from './redis-connection.ts';
import { redisKeys } from './redis-keys.ts';
import { isWholeScript, publishResult, publishScript, readHeartbeatsScript, readIndexScript, reportHeartbeatScript } from './redis-scripts.ts';
import type { ChannelDocument, ChannelEvent, ChannelState, Heartbeat, Hint, Publication, SnapshotChannel } from './snapshot-channel.ts';

const heartbeatLifeMs = 60_000;
const stagingLifeSeconds = 300;
const documentsPerCommand = 500;
const snapshotKeys = [redisKeys.state, redisKeys.index, redisKeys.documents] as const;
const heartbeatKeys = [redisKeys.heartbeats, redisKeys.heartbeatTimes] as const;

/** The channel over Redis. Every command is bounded in time, so that a half-open connection cannot hang a plane. */
export function connectRedisChannel(options: RedisConnectionOptions): SnapshotChannel {
  const { commands, subscriber } = connect(options);
  const listeners = new EventEmitter();
  subscriber.on('message', (channel: string, message: string) => {
    const [name, parsed] = channel === redisKeys.events ? ['event', parseMessage(eventSchema, message)] : ['hint', parseHint(message)];
    if (parsed) listeners.emit(name, parsed);
  });
  const subscribe = (): Promise<unknown> => subscriber.subscribe(redisKeys.hints, redisKeys.events);
  // 'ready' comes after every (re)connection; ioredis has subscribed again by the time the reply to `subscribe` is there.
  subscriber.on('ready', () => void subscribe().then(() => listeners.emit('subscribed'), ignore));

  return {
    publish: (publication) => publish(commands, publication),
    readState: async () => stateOf(await commands.hmget(redisKeys.state, 'revision', 'stamp')),
    readIndex: async () => {
      const [fields, entries, whole] = (await commands.eval(readIndexScript, snapshotKeys.length, ...snapshotKeys)) as [(string | null)[], string[], number];
      const state = stateOf(fields);
      if (state && whole !== 1) throw new Error('the snapshot in Redis is not whole: some of its keys are gone');
      return state && { state, index: pairs(entries) };
    },
    isWhole: async () => (await commands.eval(isWholeScript, snapshotKeys.length, ...snapshotKeys)) === 1,
    readDocuments: (ids) => readDocuments(commands, ids),
    follow: (listener) => {
      const onHint = (hint: Hint): void => listener.onHint(hint);
      const onSubscribed = (): void => listener.onSubscribed();
      const onEvent = (event: ChannelEvent): void => listener.onEvent?.(event);
      listeners.on('hint', onHint).on('subscribed', onSubscribed).on('event', onEvent);
      if (subscriber.status === 'ready') void subscribe().then(onSubscribed, ignore);
      return Promise.resolve(() => {
        listeners.off('hint', onHint).off('subscribed', onSubscribed).off('event', onEvent);
        return Promise.resolve();
      });
    },
    publishEvent: async (event) => {
      await commands.publish(redisKeys.events, JSON.stringify(event));
    },
    reportHeartbeat: async (heartbeat) => {
      await commands.eval(reportHeartbeatScript, heartbeatKeys.length, ...heartbeatKeys, heartbeat.id, JSON.stringify(heartbeat), heartbeatLifeMs);
    },
    readHeartbeats: async () => {
      const texts = (await commands.eval(readHeartbeatsScript, heartbeatKeys.length, ...heartbeatKeys, heartbeatLifeMs)) as string[];
      return texts.map((text) => JSON.parse(text) as Heartbeat);
    },
    close: () => {
      commands.disconnect();
      subscriber.disconnect();
      return Promise.resolve();
    },
  };
}

function connect(options: RedisConnectionOptions): { commands: Redis; subscriber: Redis } {
  const commands = openRedis(options);
  const subscriber = openSubscriber(options, commands);
  // A subscriber hears nothing for hours; a ping that stays unanswered (socketTimeout) tells half-open from quiet.
  const timer = setInterval(() => void (subscriber.status === 'ready' && subscriber.ping().catch(ignore)), commandTimeoutMs);
  timer.unref();
  subscriber.on('end', () => clearInterval(timer));
  return { commands, subscriber };
}

async function publish(commands: Redis, { expected, revision, mode, documents, removed }: Publication): Promise<ChannelState | undefined> {
  const state: ChannelState = { revision, stamp: randomUUID() };
  const staging = redisKeys.staging(state.stamp);
  for (const chunk of chunks(documents, documentsPerCommand)) {
    const pipeline = commands.pipeline();
    pipeline.hset(staging.index, ...chunk.flatMap(({ id, hash }) => [id, hash]));
    pipeline.hset(staging.documents, ...chunk.flatMap(({ id, hash, sealed }) => [id, withHash(hash, sealed)]));
    pipeline.expire(staging.index, stagingLifeSeconds);
    pipeline.expire(staging.documents, stagingLifeSeconds);
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  }
  const hint: Hint = {
    state,
    previousStamp: expected?.stamp,
    changed: mode === 'replace' ? [] : documents.map(({ id, hash }) => ({ id, hash })),
    removed,
    replaced: mode === 'replace',
  };
  const keys = [...snapshotKeys, staging.index, staging.documents];
  const args = [expected?.stamp ?? '', String(revision), state.stamp, mode, redisKeys.hints, JSON.stringify(hint), String(documents.length), ...removed];
  const result = await commands.eval(publishScript, keys.length, ...keys, ...args);
  if (result === publishResult.stagingLost) throw new Error('documents were lost on their way into Redis; nothing was published');
  if (result === publishResult.notWhole) throw new Error('the snapshot in Redis is not whole: only a replacement can be published');
  return result === publishResult.published ? state : undefined;
}

async function readDocuments(commands: Redis, ids: readonly string[]): Promise<ChannelDocument[]> {
  const documents: ChannelDocument[] = [];
  for (const chunk of chunks(ids, documentsPerCommand)) {
    const values = await commands.hmgetBuffer(redisKeys.documents, ...chunk);
    chunk.forEach((id, index) => {
      const value = values[index];
      if (value) documents.push({ id, ...splitHash(value) });
    });
  }
  return documents;
}

// A document carries its own hash: what is read after the index may already be a newer version than the index named.
const withHash = (hash: string, sealed: Buffer): Buffer => Buffer.concat([Buffer.from([hash.length]), Buffer.from(hash, 'latin1'), sealed]);
function splitHash(value: Buffer): { hash: string; sealed: Buffer } {
  const start = 1 + (value[0] ?? 0);
  // A copy: a slice would keep the whole reply it came in alive.
  return { hash: value.toString('latin1', 1, start), sealed: Buffer.from(value.subarray(start)) };
}

function stateOf([revision, stamp]: (string | null)[]): ChannelState | undefined {
  return revision && stamp ? { revision: Number(revision), stamp } : undefined;
}

function pairs(flat: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2) map.set(flat[index] as string, flat[index + 1] as string);
  return map;
}

const hintSchema = z.object({
  state: z.object({ revision: z.number(), stamp: z.string() }),
  previousStamp: z.string().optional(),
  changed: z.array(z.object({ id: z.string(), hash: z.string() })),
  removed: z.array(z.string()),
  replaced: z.boolean(),
});

/** A message on the channel that is no hint is nobody's business: the poll finds what it may have meant. */
function parseHint(message: string): Hint | undefined {
  const hint = parseMessage(hintSchema, message);
  return hint && { ...hint, previousStamp: hint.previousStamp };
}

/** Members that this release does not know are left out. */
const eventSchema = z.object({ connected: z.object({ owner: z.string(), person: z.string().optional(), linkId: z.string() }) });

function parseMessage<S extends z.ZodType>(schema: S, message: string): z.output<S> | undefined {
  try {
    return schema.parse(JSON.parse(message));
  } catch {
    return undefined;
  }
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

const ignore = (): void => undefined;
