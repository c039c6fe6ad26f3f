import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConnectedPerson, type ConnectedPlanes, type ControlPlaneProcess, startConnectedPlanes } from '../support/connected-planes.ts';
import { reportFault } from '../support/fault-report.ts';
import { startFaultyUpstream, type FaultyUpstream } from '../support/faulty-upstream.ts';
import type { DataPlaneProcess } from '../support/production-shape.ts';
import { makeShiftedClock, type ShiftedClock } from '../support/shifted-clock.ts';
import { SteadyCalls } from '../support/steady-calls.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

// Fault 13: a data plane's clock is five minutes ahead, then five behind, and steps between the two while it runs.
const shiftSeconds = 300;
const steps = [shiftSeconds, -shiftSeconds, 0, shiftSeconds, 0] as const;
const heldMs = Number(process.env['GATEHOUSE_CLOCK_SECONDS'] ?? 15) * 1_000;
const token = 'data-plane-token-0123456789abcdefghij';

let planes: ConnectedPlanes;
let clock: ShiftedClock;
/** Beside one whose clock is right. */
let right: DataPlaneProcess;
let wrong: DataPlaneProcess;

beforeAll(async () => {
  clock = await makeShiftedClock();
  planes = await startConnectedPlanes({ dataPlanes: ['right'], environment: { GATEHOUSE_DATA_PLANE_TOKEN: token } });
  right = planes.dataPlanes[0] as DataPlaneProcess;
  wrong = await planes.startDataPlane('wrong', clock.environment);
});
afterAll(async () => {
  await planes?.close();
  await clock?.remove();
});

test('fault 13: its clock is what the spec says it is', async () => {
  const logged = (): number => Date.parse(/"time":"([^"]+)"[^\n]*$/.exec(wrong.output().trimEnd())?.[1] ?? '');
  for (const seconds of [shiftSeconds, -shiftSeconds, 0]) {
    await clock.shift(seconds);
    await fetch(`${wrong.dataPlaneUrl}/mcp/default/tickets`, { method: 'POST', body: 'x' });
    await expect.poll(() => Math.abs(logged() - Date.now() - seconds * 1_000), { timeout: 10_000 }).toBeLessThan(10_000);
  }
});

describe('fault 13: tokens of connections', () => {
  test('no refresh storm: each is refreshed when the database says that it is due, and nobody is refused', { timeout: 300_000 }, async () => {
    const lives = [40, 120, 200, 280, 320, 3_600] as const;
    const people: ConnectedPerson[] = [];
    for (const seconds of lives) people.push(await planes.connect(`for ${seconds} s`, seconds));
    const { requests, refreshes, revokedFamilies } = planes.provider;
    const asked = await brokerAnswers();
    const calls = new SteadyCalls<ConnectedPerson>({ dataPlanes: [right, wrong], call: (plane, who) => planes.call(plane, who) });
    for (const who of people) calls.begin(who, 2, 50);
    const beganAt = Date.now();
    for (const seconds of steps) {
      await clock.shift(seconds);
      await delay(heldMs);
    }
    const tookSeconds = (Date.now() - beganAt) / 1_000;
    await calls.stop();

    expect(new Set(calls.made.map(({ outcome }) => outcome))).toEqual(new Set(['served']));
    const rows = await planes.query<{ version: number }>('select token_version as version from connections');
    const refreshed = rows.reduce((sum, { version }) => sum + version - 1, 0);
    // Once each, of those that end while it lasts and a while after; a token that comes lasts an hour.
    const due = lives.filter((seconds) => seconds < tookSeconds * 2 + 60).length;
    expect(refreshed).toBeLessThanOrEqual(due);
    expect([planes.provider.requests - requests, planes.provider.refreshes - refreshes, planes.provider.revokedFamilies - revokedFamilies]).toEqual([refreshed, refreshed, 0]);
    // What each step costs the broker is a question or two for each person, and not one for each call.
    const questions = (await brokerAnswers()) - asked;
    expect(questions).toBeLessThan(people.length * (steps.length + 2) * 2 + 20);
    reportFault(13, 'a data plane ±5 min', { calls: calls.made.length, refreshes: refreshed, questionsToTheBroker: questions, tokensDue: due });
  });

  const brokerAnswers = (): Promise<number> => planes.counted('gatehouse_control_plane_broker_answers_total');
});

describe('fault 13: tokens of agents: the leeway is what is configured', () => {
  let issuer: TokenIssuer;
  let upstream: FaultyUpstream;
  const audience = 'leeway';
  beforeAll(async () => {
    issuer = await startTokenIssuer();
    upstream = await startFaultyUpstream();
    for (const clockToleranceSeconds of [30, shiftSeconds]) {
      const jwt = { jwksUrl: issuer.jwksUrl, issuer: issuer.url, audience, clockToleranceSeconds };
      const document = { name: `leeway-${clockToleranceSeconds}`, type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt }, appAuth: { type: 'none' } };
      expect((await planes.admin.post('/v1/workspaces/default/servers', document)).status).toBe(201);
    }
  });
  afterAll(async () => {
    await Promise.all([issuer?.close(), upstream?.close()]);
  });

  const statusOf = async (plane: DataPlaneProcess, leeway: number, authorization: string): Promise<number> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: '1', method: 'ping' });
    return (await fetch(`${plane.dataPlaneUrl}/mcp/default/leeway-${leeway}`, { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body })).status;
  };
  const signed = async (from: number, until: number): Promise<string> => {
    const now = Math.floor(Date.now() / 1_000);
    return `Bearer ${await issuer.sign({ aud: audience, nbf: now + from, exp: now + until })}`;
  };

  // What is good for everyone whose clock is right, by how long it has been and will be.
  test.each([
    ['ahead', shiftSeconds, { from: -600, until: 150 }, { 30: 401, [shiftSeconds]: 200 }],
    ['ahead', shiftSeconds, { from: -600, until: 900 }, { 30: 200, [shiftSeconds]: 200 }],
    ['behind', -shiftSeconds, { from: -100, until: 900 }, { 30: 401, [shiftSeconds]: 200 }],
    ['behind', -shiftSeconds, { from: -600, until: 900 }, { 30: 200, [shiftSeconds]: 200 }],
  ])('five minutes %s (%i s), a token with %o', async (_name, seconds, { from, until }, expected) => {
    for (const plane of [right, wrong]) await expect.poll(() => statusOf(plane, shiftSeconds, ''), { timeout: 20_000 }).toBe(401);
    await clock.shift(seconds);
    const authorization = await signed(from, until);
    const statuses = async (plane: DataPlaneProcess): Promise<object> => ({ 30: await statusOf(plane, 30, authorization), [shiftSeconds]: await statusOf(plane, shiftSeconds, authorization) });
    expect(await statuses(right)).toEqual({ 30: 200, [shiftSeconds]: 200 });
    expect(await statuses(wrong)).toEqual(expected);
    await clock.shift(0);
    expect(await statuses(wrong)).toEqual({ 30: 200, [shiftSeconds]: 200 });
  });
});

describe('fault 13: leases go by the database’s clock, whatever that of a control plane is', () => {
  const ask = async ({ internalUrl }: ControlPlaneProcess, { person }: ConnectedPerson): Promise<string> => {
    const body = JSON.stringify({ server: planes.server, subject: { person } });
    const reply = await fetch(new URL('/internal/tokens', internalUrl), { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body });
    return ((await reply.json()) as { status: string }).status;
  };

  test.each([
    ['ahead', shiftSeconds], ['behind', -shiftSeconds],
  ])('five minutes %s: who has the lease refreshes, and the other waits', async (_name, seconds) => {
    await clock.shift(seconds);
    const shifted = await planes.shape.startControlPlane(clock.environment);
    for (const [holder, other] of [[planes.controlPlanes[0], shifted], [shifted, planes.controlPlanes[0]]] as const) {
      const who = await planes.connect(`due ${holder === shifted}`, -1);
      const [held, reached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      planes.provider.interfere({
        before: () => {
          reached.resolve();
          return held.promise;
        },
      });
      const { requests, refreshes } = planes.provider;
      const first = ask(holder, who);
      await reached.promise;
      const second = ask(other, who);
      // Long enough for whoever thinks that a lease is over to take it.
      await delay(3_000);
      expect(planes.provider.requests - requests).toBe(1);
      planes.provider.interfere({});
      held.resolve();
      expect(await Promise.all([first, second])).toEqual(['token', 'token']);
      expect([planes.provider.requests - requests, planes.provider.refreshes - refreshes, planes.provider.revokedFamilies]).toEqual([1, 1, 0]);
    }
    await shifted.process.stop();
    await clock.shift(0);
  });
});
