import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'vitest';
import type { LoadedPlanes } from '../loaded-planes.ts';

/** Redis ends every subscription, without a word. @returns how many there were: whoever has just lost one is not back at once */
export async function killSubscriptions(redis: { readonly port: number }): Promise<number> {
  const socket = connect(redis.port, '127.0.0.1');
  socket.write('CLIENT KILL TYPE pubsub\r\n');
  const [reply] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(/^:(\d+)/.exec(reply.toString())?.[1]);
}

let keys = 0;
const setKey = (planes: LoadedPlanes): Promise<number> => planes.edit('orders', { appAuth: { value: `key-${(keys += 1)}` } });

/** An edit of which messages get lost: these many, and not fewer. */
async function setKeyUnheard(planes: LoadedPlanes, messages: number): Promise<number> {
  const { lost } = planes.redisLine;
  planes.redisLine.lose(messages);
  const revision = await setKey(planes);
  await expect.poll(() => planes.redisLine.lost, { timeout: 10_000, interval: 5 }).toBe(lost + messages);
  return revision;
}

/** Ways in which data planes are not told of edits. @returns the last revision */
export const lostHints: Readonly<Record<string, (planes: LoadedPlanes) => Promise<number>>> = {
  'one data plane misses a message': (planes) => setKeyUnheard(planes, 1),
  'both miss the same message': (planes) => setKeyUnheard(planes, planes.dataPlanes.length),
  'Redis has just ended the subscriptions': async (planes) => {
    // Those of both data planes.
    await expect.poll(() => killSubscriptions(planes.shape.redis), { timeout: 10_000 }).toBeGreaterThanOrEqual(planes.dataPlanes.length);
    return setKey(planes);
  },
  'ten edits while messages get lost and subscriptions are ended': async (planes) => {
    const { lost } = planes.redisLine;
    planes.redisLine.setDeaf(true);
    let revision = 0;
    for (let edit = 0; edit < 10; edit += 1) {
      revision = await setKey(planes);
      if (edit % 4 === 3) await killSubscriptions(planes.shape.redis);
    }
    await expect.poll(() => planes.redisLine.lost, { timeout: 10_000 }).toBeGreaterThan(lost);
    planes.redisLine.setDeaf(false);
    return revision;
  },
};

/** Fault 6, under load: both data planes come to the last edit by themselves. @returns after how many milliseconds */
export async function convergeAfter(planes: LoadedPlanes, lose: (planes: LoadedPlanes) => Promise<number>): Promise<number> {
  const beganAt = Date.now();
  const revision = await lose(planes);
  const tookMs = await planes.converge(revision);
  const convergedAt = Date.now();
  const newest = `key-${keys}`;
  const isNew = (plane: number): boolean => (planes.load.last('orders', plane)?.beganAt ?? 0) > convergedAt;
  await expect.poll(() => isNew(0) && isNew(1), { timeout: 10_000 }).toBe(true);
  expect(planes.load.made.filter(({ who, beganAt: at, outcome }) => who === 'orders' && at > convergedAt && outcome !== newest)).toEqual([]);
  expect(planes.failures(beganAt)).toEqual([]);
  return tookMs;
}
