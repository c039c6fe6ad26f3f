import { expect, it } from 'vitest';
import { KnownNames } from './known-names.ts';
import type { Member } from './members.ts';

const member = { server: { id: 'orders', fingerprint: 'f' } } as Member;
let now = 0;
const names = (): KnownNames => {
  now = 0;
  return new KnownNames(() => now);
};
const kept = (known: KnownNames, scope = 'ana') => [known.get(member, 'tools', scope)?.has('echo') === true, known.last(member, 'tools', scope)?.has('echo') === true];

it('what a member has is known for half a minute, and what it had for an hour', () => {
  const known = names();
  known.set(member, 'tools', 'ana', new Set(['echo']));
  expect([kept(known), kept(known, 'ben')]).toEqual([[true, true], [false, false]]);
  now = 30_000;
  expect(kept(known)).toEqual([false, true]);
  now = 3_600_000;
  expect(kept(known)).toEqual([false, false]);
});

it('that it does not say so is remembered for some seconds, of that list, or until it does', () => {
  const known = names();
  known.failed(member, 'tools', 'ana', 'upstream_timeout');
  expect([known.failureOf(member, 'tools', 'ana'), known.failureOf(member, 'prompts', 'ana'), known.failureOf(member, 'tools', 'ben')]).toEqual(['upstream_timeout', undefined, undefined]);
  now = 5_000;
  expect(known.failureOf(member, 'tools', 'ana')).toBeUndefined();
  known.failed(member, 'tools', 'ana', 'upstream_timeout');
  known.set(member, 'tools', 'ana', new Set(['echo']));
  expect(known.failureOf(member, 'tools', 'ana')).toBeUndefined();
});

it('nothing is kept for nobody', () => {
  const known = names();
  known.set(member, 'tools', undefined, new Set(['echo']));
  known.failed(member, 'tools', undefined, 'upstream_timeout');
  expect([known.get(member, 'tools', undefined), known.last(member, 'tools', undefined), known.failureOf(member, 'tools', undefined)]).toEqual([undefined, undefined, undefined]);
});

it('weighs what the names do, and not how many there are', () => {
  const known = names();
  const scopes = Array.from({ length: 12 }, (_, index) => `caller-${index}`);
  // Together more than all that may be kept.
  for (const scope of scopes) known.set(member, 'tools', scope, new Set(['echo', 'e'.repeat(3 * 2 ** 20)]));
  expect([kept(known, scopes[0])[0], kept(known, scopes.at(-1))[0]]).toEqual([false, true]);
});
