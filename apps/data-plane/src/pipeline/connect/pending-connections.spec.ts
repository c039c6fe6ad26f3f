import { ConnectError } from '@gatehouse/access-tokens';
import type { Caller } from '@gatehouse/agent-auth';
import { expect, it } from 'vitest';
import { PendingConnections } from './pending-connections.ts';

const callerOf = (id: string): Caller => ({ id, kind: 'person', name: id, groups: [] });
const [ana, ben] = [callerOf('person:ana'), callerOf('person:ben')];
const required = (owner?: string, linkId = 'link'): ConnectError =>
  new ConnectError({ status: 'connect_required', connectUrl: 'https://gatehouse.example/connect', linkId, app: 'App', reason: 'not_connected', ...(owner !== undefined && { owner }) });
const longMs = 3_600_000;

it('a call that brings back what another brought takes its place; of others a caller has some, and no more', async () => {
  const pending = new PendingConnections();
  const first = pending.enter(required(), 'server', ana, 'state');
  const waits = first?.pause(longMs);
  expect(pending.enter(required(), 'server', ana, 'state')).toBeDefined();
  expect([await waits, pending.size]).toEqual([false, 1]);
  const others = Array.from({ length: 30 }, (_, index) => pending.enter(required(), 'server', ana, `state-${index}`));
  expect(others.filter((call) => call !== undefined).length).toBe(15);
  expect([pending.enter(required(), 'server', ben, 'state'), pending.enter(required(), 'another', ana, 'state')]).not.toContain(undefined);
  // Places become free, once.
  for (const call of others) {
    call?.leave();
    call?.leave();
  }
  expect(pending.size).toBe(3);
  expect(pending.enter(required(), 'server', ana, 'more')).toBeDefined();
});

it('there is a bound to all of them together, which streams do not count for', () => {
  const pending = new PendingConnections();
  for (let index = 0; index < 5_000; index += 1) pending.open(required(), 'server', callerOf(`person:${index}`));
  const calls = Array.from({ length: 2_001 }, (_, index) => pending.enter(required(), 'server', callerOf(`person:${index}`), 'state'));
  expect([calls.indexOf(undefined), calls.filter((call) => call === undefined).length, pending.size]).toEqual([2_000, 1, 7_000]);
  calls[0]?.leave();
  expect(pending.enter(required(), 'server', ana, 'state')).toBeDefined();
});

it('an account that is connected while nobody pauses is not missed', async () => {
  const pending = new PendingConnections();
  const call = pending.enter(required(), 'server', ana, 'state');
  pending.connected({ owner: 'app', person: 'ana', linkId: 'link' });
  expect(await call?.pause(longMs)).toBe(true);
  call?.leave();
  expect(await call?.pause(longMs)).toBe(false);
});

it.each<[string, string | undefined, string, Caller, boolean]>([
  ['the same app', 'github', 'another', ana, true],
  ['another app', 'gitlab', 'another', ana, false],
  ['another app, as far as is known', undefined, 'another', ana, true],
  ['the very link, whatever it is for', 'gitlab', 'link', ana, true],
  ['the same app of somebody else', 'github', 'another', ben, false],
  ['the same app of a caller of another system, by the link', 'github', 'link', callerOf('https://issuer.example ana'), true],
])('who waits for %s', async (_name, owner, linkId, caller, isWoken) => {
  const pending = new PendingConnections();
  const call = pending.enter(required(owner, linkId), 'server', caller, 'state');
  let woken = false;
  void call?.pause(longMs).then((isWaiting) => (woken = isWaiting));
  pending.connected({ owner: 'github', person: 'ana', linkId: 'link' });
  await Promise.resolve();
  expect(woken).toBe(isWoken);
});
