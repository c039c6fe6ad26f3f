import { format, inspect } from 'node:util';
import { expect, it } from 'vitest';
import { Secret } from './secret.ts';

const value = 'hunter2-hunter2';
const secret = new Secret(value);

it.each([
  ['a template', () => `${String(secret)}`],
  ['concatenation', () => 'x' + String(secret)],
  ['JSON', () => JSON.stringify({ secret, list: [secret] })],
  ['inspect, deeply', () => inspect({ a: { b: { c: secret } } }, { depth: 9, showHidden: true })],
  ['format', () => format('%s %o %O %j', secret, secret, secret, secret)],
  ['own keys', () => JSON.stringify([Object.keys(secret), Object.getOwnPropertyNames(secret), Object.entries({ ...secret })])],
  ['an error', () => inspect(new Error('x', { cause: secret }))],
])('a secret does not show in %s', (_name, show) => {
  expect(show()).not.toContain(value);
});

it('is given out when asked for', () => {
  expect(secret.reveal()).toBe(value);
});
