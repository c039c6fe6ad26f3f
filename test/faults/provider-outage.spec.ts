import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConnectedPerson, type ConnectedPlanes, startConnectedPlanes } from '../support/connected-planes.ts';
import { reportFault } from '../support/fault-report.ts';
import { type MadeCall, SteadyCalls } from '../support/steady-calls.ts';
import { never } from '../support/strict-oauth-provider.ts';

// Fault 17: a provider's token endpoint is down while tokens expire, in each way of being down for a while. Shorter, to try it out.
const outageSeconds = Number(process.env['GATEHOUSE_OUTAGE_SECONDS'] ?? 600);
/** When tokens expire, as a share of the outage: one each, the last one after it. */
const expiries = [0.05, 0.15, 0.3, 0.4, 0.55, 0.7, 0.8, 0.95, 1.5];
const unavailable = '503 provider_unavailable';

let planes: ConnectedPlanes;
let calls: SteadyCalls;
beforeAll(async () => {
  planes = await startConnectedPlanes();
  calls = new SteadyCalls(planes);
});
afterAll(async () => {
  await calls?.stop();
  await planes?.close();
});

/** The token endpoint refuses connections, answers errors, says nothing, breaks off; a quarter of the time each. */
async function goThroughOutage(): Promise<void> {
  const { provider, providerLine } = planes;
  const quarterMs = (outageSeconds * 1000) / 4;
  await providerLine.set({ mode: 'down' });
  await delay(quarterMs);
  provider.interfere({ before: () => 503 });
  await providerLine.set({ mode: 'up' });
  await delay(quarterMs);
  provider.interfere({ before: never });
  await delay(quarterMs);
  await providerLine.set({ mode: 'reset' });
  await delay(quarterMs);
}

/** What a call may come to, by when it was made: served to the expiry of the token, and no longer than it lasts said to be unavailable. */
function allowed({ who: { expiresAt }, beganAt, endedAt }: MadeCall, outageEndedAt: number): readonly string[] {
  if (endedAt < expiresAt) return ['served'];
  return beganAt > expiresAt && endedAt < outageEndedAt ? [unavailable] : ['served', unavailable];
}

test('a provider is away while tokens expire: served to their expiry, then provider_unavailable; nobody is asked to connect again', { timeout: (outageSeconds + 400) * 1000 }, async () => {
  const people: ConnectedPerson[] = [];
  for (const share of expiries) people.push(await planes.connect(`expires at ${share}`, outageSeconds * share));
  // Refreshing ahead goes on trying too.
  await planes.query(`update connections set next_refresh_at = expires_at - least(interval '60 seconds', (expires_at - now()) / 2)`);
  const { refreshes, revokedFamilies } = planes.provider;
  const asked = planes.providerLine.accepted();
  for (const who of people) calls.begin(who, 2, 250);
  await goThroughOutage();
  const outageEndedAt = Date.now();
  planes.provider.interfere({});
  await planes.providerLine.set({ mode: 'up' });

  // It is asked again after a pause of a minute or so, and nobody has to do anything.
  const isServed = (who: ConnectedPerson): boolean => planes.dataPlanes.every((_plane, index) => calls.last(who, index)?.outcome === 'served');
  await expect.poll(() => people.filter((who) => !isServed(who)).map(({ name }) => name), { timeout: 240_000, interval: 200 }).toEqual([]);
  const recoveredAt = Date.now();
  await calls.stop();
  reportFault(17, 'a provider is away', { outageSeconds, calls: calls.made.length, connectionsToIt: planes.providerLine.accepted() - asked, allServedAgainMs: recoveredAt - outageEndedAt });

  const wrong = calls.made.filter((call) => !allowed(call, outageEndedAt).includes(call.outcome));
  expect(wrong.map(({ who, plane, beganAt, endedAt, outcome }) => [who.name, plane, outcome, beganAt - who.expiresAt, endedAt - who.expiresAt])).toEqual([]);
  // There were both, of everybody whose token expired meanwhile.
  for (const who of people.slice(0, -1)) expect([who.name, new Set(calls.made.filter((call) => call.who === who).map(({ outcome }) => outcome))]).toEqual([who.name, new Set(['served', unavailable])]);
  expect(new Set(calls.made.filter(({ who }) => who === people.at(-1)).map(({ outcome }) => outcome))).toEqual(new Set(['served']));

  const rows = await planes.query<{ state: string; version: number }>('select state, token_version as version from connections order by expires_at');
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['active']));
  const refreshed = rows.reduce((sum, { version }) => sum + version - 1, 0);
  expect(refreshed).toBeGreaterThanOrEqual(people.length - 1);
  expect([planes.provider.refreshes - refreshes, planes.provider.revokedFamilies - revokedFamilies]).toEqual([refreshed, 0]);
  expect(await planes.counted('gatehouse_lost_rotations_total')).toBe(0);
});
