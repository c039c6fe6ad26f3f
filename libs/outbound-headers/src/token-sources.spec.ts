import type { AccessToken, RefusedToken, TokenSource } from '@gatehouse/access-tokens';
import { anonymousCaller, type Caller } from '@gatehouse/agent-auth';
import type { CredentialContext } from '@gatehouse/app-auth';
import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import { beforeEach, describe, expect, it } from 'vitest';
import { completeOutboundHeaders, type PreparedOutboundHeader, prepareOutboundHeaders } from './outbound-header.ts';

let asked: unknown[][];
let failure: Error | undefined;
beforeEach(() => {
  asked = [];
  failure = undefined;
});

const given = (value: string): AccessToken => ({ value: new Secret(value), expiresAt: undefined, subjects: [] });
/** What would be fetched, said instead. */
const fetched: Pick<TokenSource, 'ofClient' | 'ofLogin' | 'ofExchange'> = {
  ofClient: (_client, _obtain, refused) => answer('client', refused),
  ofLogin: (server, subject, kind) => answer(`login ${kind}`, server.id, subject),
  ofExchange: (_exchange, subject, _obtain, refused) => answer(`exchanged ${subject.value.reveal()}`, refused),
};
const tokens = fetched as TokenSource;
function answer(value: string, ...details: unknown[]): Promise<AccessToken> {
  asked.push([value, ...details]);
  return failure ? Promise.reject(failure) : Promise.resolve(given(value));
}

const server = { id: 's', workspace: 'default', connectionKey: 'c' };
const ana: Caller = { id: 'person:ana', kind: 'person', name: 'Ana', groups: [], subject: 'ana' };
const withToken: CredentialContext = { server, tokens, caller: { id: 'token:1', kind: 'token', name: 'jo', groups: [], subject: 'jo' }, callerToken: { value: new Secret('of-jo'), expiresAt: undefined } };
const client = { tokenUrl: 'https://provider.example/token', clientId: 'c', clientSecret: 's' };

const prepare = (source: object, more: object = {}): PreparedOutboundHeader => prepareOutboundHeaders(completeOutboundHeaders.parse([{ name: 'X-Token', source, ...more }]))[0] as PreparedOutboundHeader;
const valueOf = async (source: object, context: CredentialContext, more: object = {}): Promise<string | undefined> => (await prepare(source, more).obtain(context))?.value.reveal();
const codeOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'none', (error: unknown) => (error as GatewayError).code);

describe('a service token', () => {
  it('is one for all callers, and for nobody', async () => {
    expect([await valueOf({ type: 'service-token', ...client }, withToken, { prefix: 'Bearer' }), await valueOf({ type: 'service-token', ...client }, { tokens })]).toEqual(['Bearer client', 'client']);
  });
});

describe('the caller’s token', () => {
  it.each<[string, object, CredentialContext, string | undefined]>([
    ['that they came with', {}, withToken, 'of-jo'],
    ['that they came with, as it is said', { from: 'caller' }, withToken, 'of-jo'],
    ['of a person’s identity provider', {}, { server, tokens, caller: ana }, 'login access-token'],
    ['of a person’s identity provider, as it is said', { from: 'identity-provider' }, { server, tokens, caller: ana }, 'login access-token'],
    ['of whoever did not log in', { from: 'identity-provider' }, withToken, undefined],
    ['of a person who came with one of the gateway’s', { from: 'caller' }, { server, tokens, caller: ana }, undefined],
    ['of nobody', {}, { server, tokens, caller: anonymousCaller }, undefined],
  ])('%s', async (_name, more, context, expected) => expect(await valueOf({ type: 'caller-token', ...more }, context, { required: false })).toBe(expected));

  it('is missing by its own name', async () => expect(await codeOf(valueOf({ type: 'caller-token' }, { tokens, caller: anonymousCaller }))).toBe('subject_token_missing'));

  it('is each caller’s own, whoever called before', async () => {
    const header = prepare({ type: 'caller-token' });
    const values = [];
    for (const value of ['a', 'b', 'a']) values.push((await header.obtain({ ...withToken, callerToken: { value: new Secret(value), expiresAt: undefined } }))?.value.reveal());
    expect(values).toEqual(['a', 'b', 'a']);
  });

  it('with a line break in it is no header', async () =>
    expect(await codeOf(valueOf({ type: 'caller-token' }, { ...withToken, callerToken: { value: new Secret('a\r\nX: b'), expiresAt: undefined } }))).toBe('credential_unavailable'));
});

describe('a token on behalf of the caller', () => {
  const source = { type: 'on-behalf-of', ...client };

  it.each<[string, object, CredentialContext, string]>([
    ['for the one they came with', {}, withToken, 'exchanged of-jo'],
    ['for the one of their login', {}, { server, tokens, caller: ana }, 'exchanged login access-token'],
    ['for their ID token', { grant: 'id-jag', audience: 'https://as.example' }, { server, tokens, caller: ana }, 'exchanged login id-token'],
  ])('%s', async (_name, more, context, expected) => expect(await valueOf({ ...source, ...more }, context)).toBe(expected));

  it('says of which token it was made, and passes on what was refused', async () => {
    const credential = await prepare(source).obtain(withToken);
    const refused: RefusedToken = { token: credential?.token as AccessToken, again: false };
    await prepare(source).obtain({ ...withToken, refused });
    expect(asked.at(-1)).toEqual(['exchanged of-jo', refused]);
  });

  it('is left out for who has none, where it may be', async () => {
    expect(await valueOf(source, { tokens, caller: anonymousCaller }, { required: false })).toBeUndefined();
    expect(await codeOf(valueOf(source, { tokens, caller: anonymousCaller }))).toBe('subject_token_missing');
  });

  it('that is refused ends the call, though it could be left out', async () => {
    failure = new GatewayError('token_exchange_refused');
    expect(await codeOf(valueOf(source, withToken, { required: false }))).toBe('token_exchange_refused');
  });
});
