import { readdirSync } from 'node:fs';
import { ConnectError, type TokenSource } from '@gatehouse/access-tokens';
import { anonymousCaller, type Caller } from '@gatehouse/agent-auth';
import type { CredentialContext, IdentitySigner } from '@gatehouse/app-auth';
import { takeSecrets } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { completeOutboundHeaders, prepareOutboundHeaders, writableOutboundHeaders } from './outbound-header.ts';
import { outboundHeaderSources } from './registry.ts';

const fixed = (name: string, value: string, more: object = {}): object => ({ name, source: { type: 'static', value }, ...more });
const problems = (headers: unknown): string[] => writableOutboundHeaders.safeParse(headers).error?.issues.map(({ path }) => `/${path.join('/')}`) ?? [];

it('every source has a file, and is registered', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => !/spec|index|registry|outbound-header|identity-keys|signed-identity|recipes/.test(name));
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
    expect(valueOf('email', anonymousCaller, true)).rejects.toMatchObject({ code: 'claim_missing' }));

  it('is each caller’s own, whoever called before', async () => {
    const [prepared] = prepareOutboundHeaders(completeOutboundHeaders.parse([{ name: 'X-User', source: { type: 'caller-identity', claim: 'email' } }]));
    const emails = [];
    for (const email of ['a@corp.example', 'b@corp.example', 'a@corp.example']) emails.push((await prepared?.obtain({ caller: { ...ana, email } }))?.value.reveal());
    expect(emails).toEqual(['a@corp.example', 'b@corp.example', 'a@corp.example']);
  });
});

describe('the caller’s identity, signed', () => {
  const server = { id: 's', workspace: 'default', name: 'orders', connectionKey: 'c', upstream: { origin: 'https://up.example', url: 'https://up.example/mcp' } };
  const said = { aud: 'https://up.example', workspace: 'default', server: 'orders' };
  const identity: IdentitySigner = { sign: (claims) => new Secret(JSON.stringify(claims)) };
  const signedOf = async (caller: Caller | undefined, more: object = {}, context: CredentialContext = { server, identity }): Promise<unknown> => {
    const [prepared] = prepareOutboundHeaders(completeOutboundHeaders.parse([{ name: 'X-User', required: false, source: { type: 'caller-identity', signed: true, ...more } }]));
    const value = (await prepared?.obtain({ ...context, caller }))?.value.reveal();
    return value === undefined ? undefined : JSON.parse(value);
  };
  const ana: Caller = { id: 'person:1', kind: 'person', name: 'Ana', groups: ['sales'], subject: '1', email: 'ana@corp.example', identityProvider: 'corp', claims: { client_id: 'claude', sub: '1' } };
  const token: Caller = { id: 'token:x', kind: 'token', name: 'jo', groups: [], subject: 'jo', issuer: 'https://issuer.example', claims: { sub: 'jo', azp: 'app', name: 'Jo' } };
  const account: Caller = { id: 'service-account:ci', kind: 'service-account', name: 'CI', groups: ['robots'] };

  it.each<[string, Caller, unknown]>([
    ['a person, and the agent that acts for them', ana, { ...said, kind: 'person', sub: '1', idp: 'corp', name: 'Ana', email: 'ana@corp.example', groups: ['sales'], act: { sub: 'claude' } }],
    ['a token of an issuer that the server insists on', token, { ...said, kind: 'token', sub: 'jo', token_issuer: 'https://issuer.example', name: 'Jo', act: { sub: 'app' } }],
    ['a client that acts by itself', { ...token, claims: { sub: 'jo', client_id: 'jo' } }, { ...said, kind: 'token', sub: 'jo', token_issuer: 'https://issuer.example' }],
    ['a service account', account, { ...said, kind: 'service-account', sub: 'service-account:ci', name: 'CI', groups: ['robots'] }],
  ])('%s', async (_, caller, claims) => expect(await signedOf(caller)).toEqual(claims));

  it('a token that says what a person’s would, of an issuer by the name of their provider, is told from theirs', async () => {
    const forged: Caller = { ...ana, id: 'token:y', kind: 'token', issuer: 'corp', identityProvider: 'corp' };
    expect(await signedOf(forged)).toMatchObject({ kind: 'token', sub: '1', token_issuer: 'corp' });
    expect(await signedOf(forged)).not.toHaveProperty('idp');
  });

  it('is for whom the configuration says', async () => expect(await signedOf(ana, { audience: 'orders' })).toMatchObject({ aud: 'orders' }));

  it.each<[string, Caller | undefined]>([
    ['nobody', undefined],
    ['who is unknown', anonymousCaller],
    ['a token whose issuer nobody insists on', (({ issuer: _, ...rest }) => rest)(token)],
    ['a person with more groups than a header holds', { ...ana, groups: Array.from({ length: 1_000 }, (_, index) => `a-group-of-many-${index}`) }],
  ])('says nothing of %s', async (_, caller) => expect(await signedOf(caller)).toBeUndefined());

  it('without a key no call goes out', () => expect(signedOf(ana, {}, { server })).rejects.toMatchObject({ code: 'credential_unavailable' }));
});

describe('a header of the request', () => {
  const valueOf = async (callerHeader?: (name: string) => string | undefined): Promise<string | undefined> => {
    const [prepared] = prepareOutboundHeaders(completeOutboundHeaders.parse([{ name: 'X-Org', required: false, prefix: 'Org', source: { type: 'request-header', name: 'X-Tenant' } }]));
    return (await prepared?.obtain({ callerHeader }))?.value.reveal();
  };
  it('is the one of that name', async () => expect(await valueOf((name) => (name === 'X-Tenant' ? 'acme' : undefined))).toBe('Org acme'));
  it('is none where the caller has none, and where nobody calls', async () => expect([await valueOf(() => undefined), await valueOf()]).toEqual([undefined, undefined]));
});

describe('a stored credential', () => {
  const missing = new ConnectError({ status: 'connect_required', connectUrl: 'https://gatehouse.example/connect', linkId: '1', app: 'tracker token', reason: 'not_connected', credential: true });
  const refused = new ConnectError({ status: 'reconnect_required', connectUrl: 'https://gatehouse.example/connect', linkId: '1', app: 'tracker token', reason: 'refused', credential: true });
  const ana: Caller = { id: 'person:1', kind: 'person', name: 'Ana', groups: [], subject: '1' };
  const server = { id: 'tracker', connectionKey: 'key', workspace: 'default' };
  const asked: unknown[] = [];
  const answering = (answer: string | Error): Pick<CredentialContext, 'tokens'> => ({
    tokens: {
      ofCredential: (_server: unknown, subject: unknown, name: unknown, _refused: unknown, isOptional: unknown) => {
        asked.push([subject, name, isOptional]);
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ value: new Secret(answer), expiresAt: undefined, subjects: ['value'] });
      },
    } as unknown as TokenSource,
  });
  const prepare = (scope: string, more: object = {}) => prepareOutboundHeaders(completeOutboundHeaders.parse([{ name: 'X-Key', prefix: 'Token', source: { type: 'credential', name: 'tracker', scope, ...more } }]))[0];
  const optional = prepareOutboundHeaders(completeOutboundHeaders.parse([{ name: 'X-Key', required: false, source: { type: 'credential', name: 'tracker', scope: 'user' } }]))[0];

  it('of the workspace is what the snapshot has, and nothing is asked for', async () => {
    const header = prepare('workspace', { value: 'v' });
    expect([(await header?.obtain({}))?.value.reveal(), header?.connects]).toEqual(['Token v', false]);
    await expect(async () => prepare('workspace')?.obtain({})).rejects.toMatchObject({ code: 'credential_unavailable' });
  });

  it('of each caller is asked for in their name, and says what it rests on', async () => {
    const header = prepare('user');
    const obtained = await header?.obtain({ server, caller: ana, ...answering('of-ana') });
    expect([obtained?.value.reveal(), obtained?.token?.subjects, header?.connects]).toEqual(['Token of-ana', ['value'], true]);
    expect(asked.at(-1)).toEqual([{ person: '1' }, 'tracker', false]);
    await optional?.obtain({ server, caller: ana, ...answering('of-ana') });
    expect(asked.at(-1)).toEqual([{ person: '1' }, 'tracker', true]);
  });

  it.each<[string, Error | undefined, Caller, string, string]>([
    ['who has entered none', missing, ana, 'credential_missing', 'left out'],
    ['whose the upstream refuses', refused, ana, 'credential_refused', 'credential_refused'],
    ['whom the broker cannot be asked about', new GatewayError('broker_unavailable'), ana, 'broker_unavailable', 'broker_unavailable'],
    ['who is nobody', undefined, anonymousCaller, 'connection_needs_person', 'left out'],
  ])('%s: a required one ends the call, another one need not', async (_what, error, caller, required, other) => {
    const outcome = async (header: typeof optional): Promise<string> => {
      try {
        return (await header?.obtain({ server, caller, ...answering(error ?? 'x') })) === undefined ? 'left out' : 'sent';
      } catch (thrown) {
        return (thrown as GatewayError).code;
      }
    };
    expect([await outcome(prepare('user')), await outcome(optional)]).toEqual([required, other]);
  });

  it('is not asked for where nothing can be', async () => {
    await expect(async () => prepare('user')?.obtain({ caller: ana })).rejects.toMatchObject({ code: 'credential_unavailable' });
  });
});

describe('refused', () => {
  it.each<[string, unknown, string]>([
    ['two of one name, in any spelling', [fixed('X-User-Id', 'a'), fixed('x_user_id', 'b')], '/1/name'],
    ['a name that is no token', [fixed('X Y', 'a')], '/0/name'],
    ['a framing header', [fixed('Transfer-Encoding', 'a')], '/0/name'],
    ['a line break in a value', [fixed('X', 'a\nb')], '/0/source/value'],
    ['a control character in a prefix', [fixed('X', 'a', { prefix: 'B\r' })], '/0/prefix'],
    ['neither a claim nor a signature', [{ name: 'X', source: { type: 'caller-identity' } }], '/0/source/claim'],
    ['a claim and a signature', [{ name: 'X', source: { type: 'caller-identity', claim: 'sub', signed: true } }], '/0/source/signed'],
    ['an audience of a claim', [{ name: 'X', source: { type: 'caller-identity', claim: 'sub', audience: 'a' } }], '/0/source/audience'],
    ['the caller’s token', [{ name: 'X', source: { type: 'request-header', name: 'authorization' } }], '/0/source/name'],
    ['the caller’s cookies', [{ name: 'X', source: { type: 'request-header', name: 'Cookie' } }], '/0/source/name'],
    ['the caller’s key, in any spelling', [{ name: 'X', source: { type: 'request-header', name: 'X_Gatehouse_Key' } }], '/0/source/name'],
    ['an unknown source', [{ name: 'X', source: { type: 'magic' } }], '/0/source/type'],
    ['an unknown field', [fixed('X', 'a', { vaule: 'b' })], '/0'],
  ])('%s', (_name, headers, pointer) => expect(problems(headers)).toContain(pointer));
});

it('a secret follows its header’s name, not its place', () => {
  const parsed = writableOutboundHeaders.parse([fixed('X-A', '1'), fixed('X-B', '2')]);
  expect([...takeSecrets({ outboundHeaders: parsed }).secrets.keys()]).toEqual(['/outboundHeaders[x-a]/source[static]/value', '/outboundHeaders[x-b]/source[static]/value']);
});
