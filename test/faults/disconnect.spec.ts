import { once } from 'node:events';
import { connect as connectTo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CallOutcome, type ConnectedPerson, type ConnectedPlanes, startConnectedPlanes } from '../support/connected-planes.ts';
import { SteadyCalls } from '../support/steady-calls.ts';

// Connections end while two data planes use them.
const pollSeconds = 3;
/** Of a message that is heard. */
const atOnceMs = 1_000;
/** Polls come up to a fifth later, and then it is read. */
const onePollMs = pollSeconds * 1_000 * 1.2 + atOnceMs;
const callersEach = 5;

let planes: ConnectedPlanes;
/** Who is connected all the time, and must not notice anything. */
let ben: ConnectedPerson;
let bensCalls: SteadyCalls;
const ended: ConnectedPerson[] = [];

beforeAll(async () => {
  planes = await startConnectedPlanes({ environment: { GATEHOUSE_SNAPSHOT_POLL_SECONDS: String(pollSeconds) } });
  ben = await planes.connect('ben', 3600);
  bensCalls = new SteadyCalls(planes);
  bensCalls.begin(ben, 1, 50);
});
afterAll(async () => {
  await bensCalls?.stop();
  await planes?.close();
});

const disconnect = async ({ connection }: ConnectedPerson): Promise<number> => (await planes.admin.delete(`/v1/workspaces/default/connections/${connection}`)).status;
const pending = (): Promise<object[]> => planes.query('select connection_id, attempts from pending_revocations');

/** Redis ends every subscription, without a word. */
async function killSubscriptions(): Promise<void> {
  const socket = connectTo(planes.shape.redis.port, '127.0.0.1');
  socket.write('CLIENT KILL TYPE pubsub\r\n');
  const [reply] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  expect(Number(/^:(\d+)/.exec(reply.toString())?.[1])).toBeGreaterThan(0);
}

/** Ends someone's connection under load. @returns after how many milliseconds each data plane knew */
async function endUnderLoad(who: ConnectedPerson, end: (who: ConnectedPerson) => Promise<number>, then: CallOutcome): Promise<number[]> {
  const calls = new SteadyCalls(planes);
  const outcomes = () => planes.dataPlanes.map((_plane, index) => calls.last(who, index)?.outcome);
  calls.begin(who, callersEach, 20);
  await expect.poll(outcomes, { timeout: 10_000 }).toEqual(planes.dataPlanes.map(() => 'served'));
  expect(await end(who)).toBe(204);
  const endedAt = Date.now();
  ended.push(who);
  await expect.poll(outcomes, { timeout: 60_000, interval: 20 }).toEqual(planes.dataPlanes.map(() => then));
  // And so it stays.
  const before = calls.made.length;
  await expect.poll(() => calls.made.length, { timeout: 30_000 }).toBeGreaterThan(before + 10 * callersEach);
  await calls.stop();
  expect(new Set(calls.made.map(({ outcome }) => outcome))).toEqual(new Set(['served', then]));
  const knewAt = planes.dataPlanes.map((_plane, index) => calls.made.find(({ plane, outcome }) => plane === index && outcome === then)?.endedAt ?? Infinity);
  expect(calls.made.filter(({ plane, beganAt, outcome }) => outcome === 'served' && beganAt > (knewAt[plane] ?? 0))).toEqual([]);
  expect(planes.lastUseOf(who.accessToken)).toBeLessThanOrEqual(Math.max(...knewAt));
  return knewAt.map((at) => at - endedAt);
}

test('while its tokens are being refreshed: what the provider then gives is given back, and nobody uses it', { timeout: 120_000 }, async () => {
  const ana = await planes.connect('ana', 25);
  const [held, reached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  planes.provider.interfere({
    after: () => {
      reached.resolve();
      return held.promise;
    },
  });
  const revoked = await planes.counted('gatehouse_control_plane_provider_revocations_total', 'outcome="revoked"');
  const tookMs = await endUnderLoad(ana, async (who) => {
    await reached.promise;
    const status = await disconnect(who);
    held.resolve();
    return status;
  }, 'told to connect');
  console.info(`disconnected while being refreshed: known after ${tookMs.join(' and ')} ms`);
  planes.provider.interfere({});
  // Those that it had, and those that came.
  await expect.poll(() => planes.counted('gatehouse_control_plane_provider_revocations_total', 'outcome="revoked"'), { timeout: 60_000 }).toBe(revoked + 2);
  expect(await pending()).toEqual([]);
  expect([await planes.provider.accepts(ana.accessToken), await planes.query('select from connections where id = $1', [ana.connection])]).toEqual([false, []]);
});

describe('while the provider is away: every data plane stops all the same', () => {
  beforeAll(() => planes.providerLine.set({ mode: 'down' }));

  const deletePerson = async ({ person }: ConnectedPerson): Promise<number> => (await planes.admin.delete(`/v1/users/${person}`, { 'If-Match': '*' })).status;
  const withLostMessage = async (who: ConnectedPerson): Promise<number> => {
    planes.redisLine.setDeaf(true);
    return disconnect(who);
  };
  const withoutSubscriptions = async (who: ConnectedPerson): Promise<number> => {
    await killSubscriptions();
    return disconnect(who);
  };
  test.each<[string, (who: ConnectedPerson) => Promise<number>, CallOutcome, number]>([
    ['an administrator disconnects them', disconnect, 'told to connect', atOnceMs],
    ['the person is deleted', deletePerson, '403 connection_needs_person', atOnceMs],
    ['the message that says so is lost', withLostMessage, 'told to connect', onePollMs],
    ['Redis has just ended the subscriptions', withoutSubscriptions, 'told to connect', onePollMs],
  ])('%s', { timeout: 120_000 }, async (name, end, then, limitMs) => {
    const { lost } = planes.redisLine;
    const who = await planes.connect(name, 3600);
    const tookMs = await endUnderLoad(who, end, then);
    planes.redisLine.setDeaf(false);
    console.info(`${name}: known after ${tookMs.join(' and ')} ms`);
    expect(Math.max(...tookMs)).toBeLessThan(limitMs);
    if (end === withLostMessage) expect(planes.redisLine.lost - lost).toBeGreaterThanOrEqual(planes.dataPlanes.length);
    // The provider knows nothing of it yet: it was the data planes that stopped.
    expect([await planes.provider.accepts(who.accessToken), await planes.query('select from pending_revocations where connection_id = $1', [who.connection])]).toEqual([true, [{}]]);
  });

  test('the control plane that tries to give tokens back is killed; when the provider returns, the other one gives back all of them, by itself', { timeout: 400_000 }, async () => {
    const [{ process }] = planes.controlPlanes;
    await planes.providerLine.set({ mode: 'timeout' });
    const who = await planes.connect('last', 3600);
    ended.push(who);
    expect((await planes.shape.adminAt(process.controlPlaneUrl).delete(`/v1/workspaces/default/connections/${who.connection}`)).status).toBe(204);
    await expect.poll(() => planes.query('select attempts from pending_revocations where connection_id = $1', [who.connection]), { timeout: 60_000 }).toEqual([{ attempts: 1 }]);
    await process.kill9();
    await planes.providerLine.set({ mode: 'up' });
    planes.providerLine.dropConnections();
    const returnedAt = Date.now();
    await expect.poll(pending, { timeout: 360_000, interval: 500 }).toEqual([]);
    console.info(`given back ${Date.now() - returnedAt} ms after the provider’s return`);
    expect(await Promise.all(ended.map(({ accessToken }) => planes.provider.accepts(accessToken)))).toEqual(ended.map(() => false));
  });
});

test('nobody else has noticed', async () => {
  await bensCalls.stop();
  expect(new Set(bensCalls.made.map(({ outcome }) => outcome))).toEqual(new Set(['served']));
  expect([await planes.provider.accepts(ben.accessToken), planes.provider.revokedFamilies]).toEqual([true, 0]);
});
