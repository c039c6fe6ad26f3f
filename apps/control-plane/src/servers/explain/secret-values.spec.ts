import { describe, expect, it } from 'vitest';
import { CallerSecrets, isSecretName, maskSecret, textOf } from './secret-values.ts';

const long = 'abcdefghijklmnopqrst';

describe('of a secret is shown', () => {
  it.each([
    ['nothing, where it is short', long.slice(1), '[secret]'],
    ['its last four characters, where it has twenty', long, '…qrst'],
    ['nothing of an empty one', '', '[secret]'],
    ['the scheme of a bearer token', 'Bearer abc', 'Bearer [secret]'],
    ['scheme and last four of a long one', `bearer ${long}`, 'bearer …qrst'],
    ['the scheme alone of Basic', `Basic ${long}`, 'Basic [secret]'],
    ['no prefix, and none is counted', `Prefix-of-many-characters ${long.slice(1)}`, '[secret]'],
    ['whole characters', `${long}😀😀`, '…st😀😀'],
  ])('%s', (_, secret, shown) => {
    expect(maskSecret(secret)).toBe(shown);
  });
});

it.each(['Authorization', 'X_Api.Key', 'x-auth-user', 'Cookie', 'X-JWT', 'Mcp-Session-Id', 'X-Signature', 'My-Password', 'client-secret', 'X-Credential'])('%s is a name of secrets', (name) => {
  expect(isSecretName(name)).toBe(true);
});

it.each(['X-Tenant', 'Accept', 'Traceparent', 'X-Request-Id'])('%s is none', (name) => {
  expect(isSecretName(name)).toBe(false);
});

describe('a caller’s value is secret', () => {
  const callers = new CallerSecrets(['X-Api-Key', 'of-the-caller', 'X-Note', 'Bearer other-token', 'X-Key', 'short']);
  it.each([
    ['by its name', ['X-Token'], 'x', true],
    ['by the name it came under', ['X-Plain', 'Authorization'], 'x', true],
    ['by its shape: a credential', ['X-Plain'], 'Basic YTpi', true],
    ['by its shape: a JWT', ['X-Plain'], 'eyJhbGciOi.eyJzdWIi.sig', true],
    ['by its shape: a service account’s key', ['X-Plain'], `gatehouse_0123456789abcdef_${long}`, true],
    ['with a secret of the same request in it', ['X-Plain'], 'key=of-the-caller', true],
    ['also one that only its shape gave away', ['X-Plain'], 'other-token', true],
    ['not for what may be chance', ['X-Plain'], 'in short', false],
    ['not otherwise', ['X-Plain'], 'acme', false],
  ])('%s', (_, names, value, isSecret) => {
    expect(callers.has(names, value)).toBe(isSecret);
  });
});

it.each([['plain', 'plain'], [Buffer.from('東京').toString('latin1'), '東京'], ['é', 'é']])('the bytes of %j are shown as %s', (bytes, text) => {
  expect(textOf(bytes)).toBe(text);
});
