import { expect, test } from 'vitest';
import type { BrowserSession } from '../../identity/browser-sessions.service.ts';
import { type LoginFlow, nextStep, type Step } from './login-flow.ts';

const startedAt = Date.parse('2026-11-21T10:00:00Z');
const now = startedAt + 60_000;

const session: BrowserSession = {
  sessionId: 's',
  authenticatedAt: new Date(startedAt - 3_600_000),
  person: { id: 'p', provider: 'corp', subject: 'ana', email: 'ana@corp.example', name: 'Ana', groups: ['sales'], roles: ['member'], disabled: false },
};
const later: BrowserSession = { ...session, authenticatedAt: new Date(startedAt + 30_000) };

const flow: LoginFlow = {
  uid: 'u', resource: 'r', audience: 'r', scopes: ['mcp'], prompts: new Set(), maxAgeSeconds: undefined, startedAt, progress: {},
  client: { id: 'c', name: 'C', publishedAt: undefined, isRegistered: false, redirectHost: 'client.example', isLocal: false },
  server: { id: 'i', workspace: 'default', name: 'orders', title: 'Orders', identityProvider: undefined, scopes: ['mcp'], access: undefined, workspaceAccess: undefined },
};
const agreed = { progress: { agreed: {} } } as const;
const agreedBy = (person: string) => ({ progress: { agreed: { person } } });
const ofPartner = { server: { ...flow.server, identityProvider: 'partner' } };
const published = { client: { ...flow.client, publishedAt: 'client.example' } };
const publishedLocal = { client: { ...flow.client, publishedAt: 'client.example', isLocal: true } };
const logIn = { step: 'log-in', identityProvider: undefined, isFresh: false } as const;
const logInAgain = { ...logIn, isFresh: true };

test.each<[string, Partial<LoginFlow>, BrowserSession | undefined, boolean, Step]>([
  ['nobody is logged in: consent first', {}, undefined, false, { step: 'ask' }],
  ['agreed: then the login', agreed, undefined, false, logIn],
  ['agreed and logged in: done', agreed, session, false, { step: 'finish' }],
  ['agreed while logged in: done', agreedBy('p'), session, false, { step: 'finish' }],
  ['agreed by somebody else', agreedBy('q'), session, false, { step: 'ask' }],
  ['agreed, and the session is over', agreedBy('p'), undefined, false, logIn],
  ['logged in, and agreed long ago: done', {}, session, true, { step: 'finish' }],
  ['logged in, and never agreed', {}, session, false, { step: 'ask' }],
  ['nobody is logged in, whatever somebody agreed to', {}, undefined, true, { step: 'ask' }],
  ['agreed long ago, and the client wants it asked', { prompts: new Set(['consent']) }, session, true, { step: 'ask' }],
  ['asked, as the client wanted', { ...agreed, prompts: new Set(['consent']) }, session, true, { step: 'finish' }],
  ['a published client on the web is remembered', published, session, true, { step: 'finish' }],
  ['a published client on the person’s machine is not', publishedLocal, session, true, { step: 'ask' }],
  ['one on the person’s machine that registered itself is', { client: { ...publishedLocal.client, publishedAt: undefined } }, session, true, { step: 'finish' }],
  ['one on the person’s machine that an administrator registered is not: its id is no secret', { client: { ...publishedLocal.client, publishedAt: undefined, isRegistered: true } }, session, true, { step: 'ask' }],
  ['the client wants a login, and the last one was before', { ...agreed, prompts: new Set(['login']) }, session, false, logInAgain],
  ['the client wants another account', { ...agreed, prompts: new Set(['select_account']) }, session, false, logInAgain],
  ['the client wanted a login, and it was', { ...agreed, prompts: new Set(['login']) }, later, false, { step: 'finish' }],
  ['a login older than the client takes', { ...agreed, maxAgeSeconds: 600 }, session, false, logInAgain],
  ['a login that is new enough', { ...agreed, maxAgeSeconds: 7_200 }, session, false, { step: 'finish' }],
  ['a login in this flow is new enough, however long the person read', { ...agreed, maxAgeSeconds: 1 }, later, false, { step: 'finish' }],
  ['another provider’s person is sent to the right one', { ...agreed, ...ofPartner }, session, false, { ...logIn, identityProvider: 'partner' }],
  ['… once', { ...ofPartner, progress: { agreed: {}, sentToLoginAt: now } }, session, false, { step: 'refuse', why: 'wrong-provider' }],
  ['nobody is logged in: at the right provider', { ...agreed, ...ofPartner }, undefined, false, { ...logIn, identityProvider: 'partner' }],
  ['not among those whom the server lets in', { ...agreed, server: { ...flow.server, access: { allow: [{ group: 'support' }] } } }, session, false, { step: 'refuse', why: 'not-allowed' }],
  ['among them', { ...agreed, server: { ...flow.server, access: { allow: [{ group: 'support' }, { user: 'Ana@Corp.example' }] } } }, session, false, { step: 'finish' }],
  ['by id', { ...agreed, server: { ...flow.server, access: { allow: [{ user: 'p' }] } } }, session, false, { step: 'finish' }],
  ['a service account of that name is someone else', { ...agreed, server: { ...flow.server, access: { allow: [{ serviceAccount: 'ana' }] } } }, session, false, { step: 'refuse', why: 'not-allowed' }],
])('%s', (_name, overrides, current, hasConsented, step) => {
  expect(nextStep({ ...flow, ...overrides }, current, hasConsented, now)).toEqual(step);
});
