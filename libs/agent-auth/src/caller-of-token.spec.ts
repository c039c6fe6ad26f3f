import { describe, expect, it } from 'vitest';
import { callerOfToken } from './caller-of-token.ts';

const authority = ['issuer'];
const caller = (claims: Record<string, unknown>, token = 't', by: readonly string[] = authority) => callerOfToken(claims, token, by);

it('is who the issuer says it is, whatever else is in the token', () => {
  const ana = caller({ iss: 'https://a.example', sub: 'ana', exp: 1 });
  expect(ana).toMatchObject({ kind: 'token', name: 'ana', groups: [], claims: { sub: 'ana', exp: 1 } });
  expect(ana.id).toBe(caller({ iss: 'https://a.example', sub: 'ana', exp: 2, client_id: 'x' }, 'another token').id);
});

describe('two callers are never one', () => {
  const ids = [
    caller({ iss: 'https://a.example', sub: 'ana' }),
    caller({ iss: 'https://b.example', sub: 'ana' }),
    caller({ iss: 'https://a.example', sub: 'bob' }),
    caller({ iss: 'https://a.exampleana', sub: '' }, 'u'),
    caller({ iss: 'https://a.example"', sub: 'ana' }),
    caller({ iss: 'https://a.example', client_id: 'ana' }),
    caller({ iss: 'https://a.example', azp: 'ana' }),
    caller({ sub: 'ana' }),
    caller({ iss: null, sub: ['ana'] }, 'v'),
    caller({ iss: 'https://a.example', sub: 'ana' }, 't', ['jwksUrl', 'https://evil.example/jwks']),
    caller({}, 'w'),
    caller({}, 'x'),
  ].map(({ id }) => id);

  it('however their claims are spelled', () => {
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('and each has an id that is short and plain', () => {
    const odd = caller({ iss: '\n'.repeat(5_000), sub: 'x\r\n\u0000\ud800'.repeat(5_000) }).id;
    for (const id of [...ids, odd]) expect(id).toMatch(/^token:[\w-]{43}$/);
  });
});

it.each<[Record<string, unknown>, string]>([
  [{ sub: 'ana', client_id: 'cli' }, 'ana'],
  [{ client_id: 'cli', azp: 'other' }, 'cli'],
  [{ sub: '', azp: 'other' }, 'other'],
  [{ sub: 7 }, 'token'],
  [{}, 'token'],
  [{ sub: 'a\nb\u0000c\u2028d\u202e' }, 'abcd'],
  [{ sub: 'x'.repeat(1_000) }, 'x'.repeat(200)],
])('has a readable name: %j', (claims, name) => {
  expect(caller(claims).name).toBe(name);
});

it.each<[Record<string, unknown>, string | undefined]>([
  [{}, 'ana@example.com'],
  [{ email_verified: true }, 'ana@example.com'],
  [{ email_verified: 'true' }, 'ana@example.com'],
  [{ email_verified: false }, undefined],
  [{ email_verified: 'false' }, undefined],
  [{ email_verified: 0 }, undefined],
  [{ email_verified: null }, undefined],
])('has the address of its token, unless that says that nobody verified it: %j', (claims, email) => {
  expect(caller({ sub: 'ana', email: 'ana@example.com', ...claims }).email).toBe(email);
});
