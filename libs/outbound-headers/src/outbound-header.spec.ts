import { readdirSync } from 'node:fs';
import { anonymousCaller, type Caller } from '@gatehouse/agent-auth';
import { takeSecrets } from '@gatehouse/config-fields';
import { describe, expect, it } from 'vitest';
import { completeOutboundHeaders, prepareOutboundHeaders, writableOutboundHeaders } from './outbound-header.ts';
import { outboundHeaderSources } from './registry.ts';

const fixed = (name: string, value: string, more: object = {}): object => ({ name, source: { type: 'static', value }, ...more });
const problems = (headers: unknown): string[] => writableOutboundHeaders.safeParse(headers).error?.issues.map(({ path }) => `/${path.join('/')}`) ?? [];

it('every source has a file, and is registered', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => !/spec|index|registry|outbound-header/.test(name));
  expect(files.sort()).toEqual(outboundHeaderSources.map(({ type }) => `${type}.ts`).sort());
});

it.each([
  ['a value', fixed('X-Service', 'v'), 'v'],
  ['a prefix', fixed('Authorization', 't', { prefix: 'Bearer' }), 'Bearer t'],
  ['a value beyond Latin-1, as its UTF-8 bytes', fixed('X', '€'), 'â\u0082¬'],
])('%s', async (_name, header, expected) => {
  const [prepared] = prepareOutboundHeaders(completeOutboundHeaders.parse([header]));
  const credential = await prepared?.obtain({});
  expect(credential?.value.reveal()).toBe(expected);
  expect(await prepared?.obtain({})).toBe(credential);
});

describe('the caller’s identity', () => {
  const ana: Caller = {
    id: 'person:1', kind: 'person', name: 'Ana Martín', groups: ['sales'], subject: '1', email: 'ana@corp.example',
    claims: { sub: '1', email: 'raw@corp.example', level: 3, admin: false, groups: ['sales'], split: 'a\r\nX-Admin: b', long: 'x'.repeat(8_193), blank: ' ' },
  };
  const valueOf = async (claim: string, caller: Caller | undefined, required = false): Promise<string | undefined> => {
    const [prepared] = prepareOutboundHeaders(completeOutboundHeaders.parse([{ name: 'X-User', required, source: { type: 'caller-identity', claim } }]));
    return (await prepared?.obtain({ caller }))?.value.reveal();
  };

  it.each<[string, string | undefined]>([
    ['sub', '1'], ['email', 'ana@corp.example'], ['name', 'Ana Martín'], ['level', '3'], ['admin', 'false'],
    ['groups', undefined], ['split', undefined], ['long', undefined], ['blank', undefined], ['nothing', undefined], ['toString', undefined],
  ])('%s', async (claim, value) => expect(await valueOf(claim, ana)).toBe(value));

  it.each(['sub', 'email', 'name', 'level'])('nobody has none: %s', async (claim) => {
    for (const caller of [anonymousCaller, undefined]) expect(await valueOf(claim, caller)).toBeUndefined();
  });

  it('a call never goes out without one that is required', () =>
    expect(valueOf('email', anonymousCaller, true)).rejects.toMatchObject({ code: 'credential_unavailable' }));

  it('is each caller’s own, whoever called before', async () => {
    const [prepared] = prepareOutboundHeaders(completeOutboundHeaders.parse([{ name: 'X-User', source: { type: 'caller-identity', claim: 'email' } }]));
    const emails = [];
    for (const email of ['a@corp.example', 'b@corp.example', 'a@corp.example']) emails.push((await prepared?.obtain({ caller: { ...ana, email } }))?.value.reveal());
    expect(emails).toEqual(['a@corp.example', 'b@corp.example', 'a@corp.example']);
  });
});

describe('refused', () => {
  it.each<[string, unknown, string]>([
    ['two of one name, in any spelling', [fixed('X-User-Id', 'a'), fixed('x_user_id', 'b')], '/1/name'],
    ['a name that is no token', [fixed('X Y', 'a')], '/0/name'],
    ['a framing header', [fixed('Transfer-Encoding', 'a')], '/0/name'],
    ['a line break in a value', [fixed('X', 'a\nb')], '/0/source/value'],
    ['a control character in a prefix', [fixed('X', 'a', { prefix: 'B\r' })], '/0/prefix'],
    ['an unknown source', [{ name: 'X', source: { type: 'magic' } }], '/0/source/type'],
    ['an unknown field', [fixed('X', 'a', { vaule: 'b' })], '/0'],
  ])('%s', (_name, headers, pointer) => expect(problems(headers)).toContain(pointer));
});

it('a secret follows its header’s name, not its place', () => {
  const parsed = writableOutboundHeaders.parse([fixed('X-A', '1'), fixed('X-B', '2')]);
  expect([...takeSecrets({ outboundHeaders: parsed }).secrets.keys()]).toEqual(['/outboundHeaders[x-a]/source[static]/value', '/outboundHeaders[x-b]/source[static]/value']);
});
