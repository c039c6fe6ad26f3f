import { type GlobalHeaderPolicy, noGlobalPolicy } from '@gatehouse/gateway-config';
import { describe, expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { standingWarnings } from './server-warnings.ts';
import type { Surroundings } from './surroundings.ts';
import { readWrittenServer } from './written-server.ts';

const alone: Surroundings = { identityProviders: ['corp'], issuers: ['https://login.example'], workspaceAccess: null, hasOtherWorkspaces: false, apps: ['github'], credentials: [{ name: 'search-key', scope: 'workspace' }, { name: 'tracker', scope: 'user' }] };

function warningsOf(overrides: Record<string, unknown>, policy: GlobalHeaderPolicy = noGlobalPolicy, surroundings: Partial<Surroundings> = {}) {
  const { document, secrets } = readWrittenServer(sampleServer('orders', overrides), { workspace: 'default', storedSecrets: [], openServersAllowed: true });
  return standingWarnings({ id: 'id', workspace: 'default', document, tools: null }, [...secrets.set.keys()], { policy, surroundings: { ...alone, ...surroundings } });
}
/** `code pointer` of each. */
const codes = (overrides: Record<string, unknown>, policy?: GlobalHeaderPolicy, surroundings?: Partial<Surroundings>): string[] => warningsOf(overrides, policy, surroundings).map(({ code, pointer }) => `${code} ${pointer}`);

const passthrough = { type: 'passthrough' };
const none = { type: 'none' };
const connecting = { type: 'oauth-authorization-code', app: 'github' };
const list = (...names: string[]) => ({ headerPolicy: { mode: 'list', list: names } });
const mapping = (source: string, target?: string) => ({ headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-First' }, { source, ...(target && { target }) }] } });
const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', alg: 'EdDSA', use: 'sig' }] };
const issuer = 'https://login.example';
const outboundHeaders = [{ name: 'X-Service-Key', source: { type: 'static', value: 'fixed' } }];

const stored = (name: string, scope: string) => [{ name: 'X-Key', source: { type: 'credential', name, scope } }];

describe('open servers (D11)', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['a stored credential behind no check', { agentAuth: passthrough }, ['open_server /agentAuth']],
    ['a stored outbound header behind no check', { agentAuth: passthrough, appAuth: none, outboundHeaders }, ['open_server /agentAuth']],
    ['nothing stored', { agentAuth: passthrough, appAuth: none }, []],
    ['a credential of the workspace behind no check', { agentAuth: passthrough, appAuth: none, outboundHeaders: stored('search-key', 'workspace') }, ['open_server /agentAuth']],
    ['a JWT that is checked', { agentAuth: { ...passthrough, jwt: { jwks, issuer } }, outboundHeaders }, []],
    ['callers with a key', { outboundHeaders }, []],
    ['a connection that all share behind no check', { agentAuth: passthrough, appAuth: { ...connecting, shared: true } }, ['open_server /agentAuth']],
    ['a connection that all share, callers with a key', { appAuth: { ...connecting, shared: true } }, []],
  ])('%s', (_name, overrides, expected) => expect(codes(overrides)).toEqual(expected));
});

describe('connections', () => {
  const needsPerson = 'connection_needs_person /appAuth';
  const unproven = 'connection_needs_person /agentAuth/jwt';
  const fetched = { jwksUrl: 'https://login.example/jwks', audience: 'orders' };
  test.each<[string, Record<string, unknown>, string[]]>([
    ['of people', { agentAuth: { type: 'interactive' }, appAuth: connecting }, []],
    ['of those who log in at an issuer', { agentAuth: { ...passthrough, jwt: { ...fetched, issuer } }, appAuth: connecting }, []],
    ['of those who log in at one of several', { agentAuth: { ...passthrough, jwt: { ...fetched, issuer: ['https://other.example', issuer] } }, appAuth: connecting }, []],
    ['of whoever has the keys', { agentAuth: { ...passthrough, jwt: { jwks, issuer, audience: 'orders' } }, appAuth: connecting }, [unproven]],
    ['of those who log in at an issuer, for whatever their tokens are', { agentAuth: { ...passthrough, jwt: { ...fetched, issuer, audience: undefined } }, appAuth: connecting }, [unproven]],
    ['of people of another system', { agentAuth: { ...passthrough, jwt: { ...fetched, issuer: 'https://other.example' } }, appAuth: connecting }, [unproven]],
    ['of all together, whose tokens are of another system', { agentAuth: { ...passthrough, jwt: { jwks, issuer } }, appAuth: { ...connecting, shared: true } }, []],
    ['of people, where callers have a key', { appAuth: connecting }, [needsPerson]],
    ['of people, where nobody is known', { agentAuth: passthrough, appAuth: connecting }, [needsPerson]],
    ['of an app that is not there', { agentAuth: { type: 'interactive' }, appAuth: { ...connecting, app: 'gitub' } }, ['app_not_found /appAuth/app']],
    ['with what the upstream says itself', { agentAuth: { type: 'interactive' }, appAuth: { type: 'oauth-authorization-code', discover: true } }, []],
  ])('%s', (_name, overrides, expected) => expect(codes(overrides)).toEqual(expected));
});

describe('stored credentials', () => {
  const interactive = { agentAuth: { type: 'interactive' } };
  test.each<[string, Record<string, unknown>, string[]]>([
    ['of the workspace', { outboundHeaders: stored('search-key', 'workspace') }, []],
    ['of people', { ...interactive, outboundHeaders: stored('tracker', 'user') }, []],
    ['of people, where callers have a key', { outboundHeaders: stored('tracker', 'user') }, ['connection_needs_person /outboundHeaders/0/source']],
    ['of people, whose tokens prove nothing', { agentAuth: { ...passthrough, jwt: { jwks, issuer } }, outboundHeaders: stored('tracker', 'user') }, ['connection_needs_person /agentAuth/jwt']],
    ['that are not there', { outboundHeaders: stored('serach-key', 'workspace') }, ['credential_not_found /outboundHeaders/0/source/name']],
    ['of another scope', { ...interactive, outboundHeaders: stored('search-key', 'user') }, ['credential_scope_mismatch /outboundHeaders/0/source/scope']],
  ])('%s', (_name, overrides, expected) => expect(codes(overrides)).toEqual(expected));
});

describe('on behalf of callers', () => {
  const exchange = { type: 'on-behalf-of', tokenUrl: 'https://id.example/token', clientId: 'c', clientSecret: 's' };
  const tokens = { ...passthrough, jwt: { jwks, issuer } };
  const header = (source: object): Record<string, unknown> => ({ appAuth: none, outboundHeaders: [{ name: 'X-Token', source }] });
  const [ofApp, ofHeader] = ['subject_token_missing /appAuth', 'subject_token_missing /outboundHeaders/0/source'];
  test.each<[string, Record<string, unknown>, string[]]>([
    ['who log in', { agentAuth: { type: 'interactive' }, appAuth: exchange }, []],
    ['who come with tokens', { agentAuth: tokens, appAuth: exchange }, []],
    ['who have keys', { appAuth: exchange }, [ofApp]],
    ['who log in, by tokens that they come with', { agentAuth: { type: 'interactive' }, appAuth: { ...exchange, subject: 'caller-token' } }, [ofApp]],
    ['who come with tokens, by their logins', { agentAuth: tokens, appAuth: { ...exchange, subject: 'identity-provider-token' } }, [ofApp]],
    ['who have keys, in a header', header(exchange), [ofHeader]],
    ['who have keys, by their tokens', header({ type: 'caller-token' }), [ofHeader]],
    ['who log in, by their tokens', { ...header({ type: 'caller-token' }), agentAuth: { type: 'interactive' } }, []],
    ['who log in, by tokens that they come with, in a header', { ...header({ type: 'caller-token', from: 'caller' }), agentAuth: { type: 'interactive' } }, [ofHeader]],
    ['whom nobody asks', header({ type: 'service-token', tokenUrl: 'https://id.example/token', clientId: 'c', clientSecret: 's' }), []],
  ])('%s', (_name, overrides, expected) => expect(codes(overrides)).toEqual(expected));
});

describe('who calls, in a header', () => {
  const [interactive, token, anyIssuer] = [{ type: 'interactive' }, { ...passthrough, jwt: { jwks, issuer } }, { ...passthrough, jwt: { jwks, audience: 'orders' } }];
  const header = (agentAuth: object, source: object, more: object = {}): Record<string, unknown> => ({ agentAuth, appAuth: none, outboundHeaders: [{ name: 'X-User', source: { type: 'caller-identity', ...source }, ...more }] });
  const never = 'claim_missing /outboundHeaders/0/source';
  const left = { required: false };
  test.each<[string, Record<string, unknown>, string[]]>([
    ['signed, of people', header(interactive, { signed: true }), []],
    ['signed, of service accounts', header({ type: 'api-key' }, { signed: true }), []],
    ['signed, of tokens of an issuer', header(token, { signed: true }), []],
    ['signed, of tokens of any issuer', header(anyIssuer, { signed: true }), ['jwt_any_issuer /agentAuth/jwt', never]],
    ['signed, of nobody', header(passthrough, { signed: true }), [never]],
    ['signed, of nobody, left out', header(passthrough, { signed: true }, left), [never]],
    ['the address of people', header(interactive, { claim: 'email' }), []],
    ['the address of service accounts', header({ type: 'api-key' }, { claim: 'email' }), [never]],
    ['the address of service accounts, left out', header({ type: 'api-key' }, { claim: 'email' }, left), []],
    ['the name of service accounts', header({ type: 'api-key' }, { claim: 'name' }), []],
    ['the id of nobody', header(passthrough, { claim: 'sub' }), [never]],
    ['what tokens may say', header(token, { claim: 'department' }), []],
    ['what the gateway’s tokens do not say', header(interactive, { claim: 'department' }), [never]],
    ['what the gateway’s tokens say as a list', header(interactive, { claim: 'groups' }), [never]],
  ])('%s', (_name, overrides, expected) => expect(codes(overrides)).toEqual(expected));

  const copied = (more: Record<string, unknown> = {}, row: object = {}) => ({ appAuth: none, agentAuth: passthrough, outboundHeaders: [{ name: 'X-Copy', source: { type: 'request-header', name: 'X-Internal-Id' }, ...row }], ...more });
  const restricted = 'request_header_restricted /outboundHeaders/0/source/name';
  const policy: GlobalHeaderPolicy = { ...noGlobalPolicy, enabled: false, restricted: ['x-internal-*'] };
  test.each<[string, Record<string, unknown>, GlobalHeaderPolicy, string[]]>([
    ['of a header', copied(), noGlobalPolicy, []],
    ['of one that callers’ authentication restricts', copied({ agentAuth: { ...passthrough, restrictedHeaders: ['x_internal_*'] } }), noGlobalPolicy, [restricted]],
    ['of one that the server restricts', copied({ headerPolicy: { mode: 'none', restricted: ['x-internal-*'] } }), noGlobalPolicy, [restricted]],
    ['of one that all restrict', copied(), policy, [restricted]],
    ['of one that all restrict, left out', copied({}, left), policy, []],
  ])('a copy %s', (_name, overrides, global, expected) => expect(codes(overrides, global)).toEqual(expected));
});

describe('callers’ JWTs', () => {
  const plain = 'jwks_plain_http /agentAuth/jwt/jwksUrl';
  const any = 'jwt_any_issuer /agentAuth/jwt';
  test.each<[string, Record<string, unknown>, string[]]>([
    ['keys over TLS, of one issuer', { jwksUrl: 'https://login.example/jwks', issuer }, []],
    ['keys over TLS, of several', { jwksUrl: 'https://login.example/jwks', issuer: [issuer, 'https://other.example'] }, []],
    ['pasted keys, of one issuer', { jwks, issuer }, []],
    ['pasted keys, of any issuer', { jwks, audience: 'orders' }, [any]],
    ['keys without TLS', { jwksUrl: 'http://login.example/jwks', issuer }, [plain]],
    ['keys without TLS, in capitals, of any issuer', { jwksUrl: 'HTTP://LOGIN.EXAMPLE/jwks' }, [plain, any]],
    ['keys without TLS, inside of a network', { jwksUrl: 'http://10.1.2.3/jwks', issuer }, [plain]],
    ['keys without TLS, at what begins as loopback does', { jwksUrl: 'http://127.0.0.1.example.com/jwks', issuer }, [plain]],
    ['keys without TLS, at what ends as loopback does', { jwksUrl: 'http://notlocalhost/jwks', issuer }, [plain]],
    ...['localhost', 'idp.localhost', '127.0.0.1', '127.8.9.1', '2130706433', '[::1]', '[0:0:0:0:0:0:0:1]'].map((host): [string, Record<string, unknown>, string[]] => [`keys of this machine, at ${host}`, { jwksUrl: `http://${host}:4000/jwks`, issuer }, []]),
  ])('%s', (_name, jwt, expected) => expect(codes({ agentAuth: { ...passthrough, jwt }, appAuth: none })).toEqual(expected));
});

describe('access rules', () => {
  const allow = (...entries: object[]) => ({ access: { allow: entries } });
  const [user, group, account] = [{ user: 'ana@example.com' }, { group: 'sales' }, { serviceAccount: 'ci' }];
  test.each<[string, Record<string, unknown>, string[]]>([
    ['of service accounts', allow(account, group), []],
    ['of users, where callers are service accounts', allow(group, user), ['access_matches_nobody /access/allow/1/user']],
    ['of people', { ...allow(user, group), agentAuth: { type: 'interactive' } }, []],
    ['of service accounts, where callers are people', { ...allow(user, account), agentAuth: { type: 'interactive' } }, ['access_matches_nobody /access/allow/1/serviceAccount']],
    ['of service accounts, where callers have tokens', { ...allow(account), appAuth: none, agentAuth: { ...passthrough, jwt: { jwks, issuer } } }, ['access_matches_nobody /access/allow/0/serviceAccount']],
    ['of tools only', { access: { tools: { deny: ['delete_*'] } } }, []],
  ])('%s', (_name, overrides, expected) => expect(codes(overrides)).toEqual(expected));
});

describe('whose word an access rule goes by', () => {
  const interactive = (allow: object[], identityProvider?: string) => ({ agentAuth: { type: 'interactive', ...(identityProvider && { identityProvider }) }, ...(allow.length > 0 && { access: { allow } }) });
  const two = { identityProviders: ['corp', 'partner'] };
  const any = (index: number) => `access_of_any_provider /access/allow/${index}`;
  const nobody = (index: number) => `access_matches_nobody /access/allow/${index}/identityProvider`;
  const [group, user, id] = [{ group: 'sales' }, { user: 'ana@example.com' }, { user: '01919e1c-0000-7000-8000-00000000a0a0' }];
  const of = (entry: object, identityProvider: string) => ({ ...entry, identityProvider });
  test.each<[string, Record<string, unknown>, Partial<Surroundings>, string[]]>([
    ['of the only provider', interactive([group, user]), {}, []],
    ['of one of two', interactive([of(group, 'corp'), of(user, 'partner'), of(user, 'local')]), two, []],
    ['of either of two', interactive([group, of(group, 'corp'), user, id]), two, [any(0), any(2)]],
    ['of either of two, where one is asked for', interactive([group, user], 'corp'), two, []],
    ['of another than the one that is asked for', interactive([of(group, 'partner')], 'corp'), two, [nobody(0)]],
    ['of one that is not there', interactive([of(group, 'gone')]), two, [nobody(0)]],
    ['of a provider, where nobody logs in', { access: { allow: [of(group, 'corp')] } }, two, [nobody(0)]],
    ['of a provider that is not there, for everybody', interactive([], 'gone'), two, ['identity_provider_unknown /agentAuth/identityProvider']],
  ])('%s', (_name, overrides, surroundings, expected) => expect(codes(overrides, undefined, surroundings)).toEqual(expected));
});

describe('workspaces', () => {
  const interactive = { agentAuth: { type: 'interactive' } };
  const others = { hasOtherWorkspaces: true };
  const closed = { ...others, workspaceAccess: { allow: [{ group: 'sales' }] } };
  test.each<[string, Record<string, unknown>, Partial<Surroundings>, string[]]>([
    ['the only one, open', interactive, {}, []],
    ['one of several, open', interactive, others, ['workspace_open ']],
    ['one of several, open, of a server that says who may', { ...interactive, access: { allow: [{ group: 'sales' }] } }, others, []],
    ['one of several, open, of a server for service accounts', {}, others, []],
    ['one that says who belongs to it', interactive, closed, []],
    ['one that says who belongs to it, where nobody is known', { agentAuth: passthrough, appAuth: none }, closed, ['access_matches_nobody /agentAuth']],
    ['one that says who belongs to it, where tokens are', { agentAuth: { ...passthrough, jwt: { jwks, issuer } }, appAuth: none }, closed, []],
  ])('%s', (_name, overrides, surroundings, expected) => expect(codes(overrides, undefined, surroundings)).toEqual(expected));
});

describe('Authorization (D2)', () => {
  const both = { agentAuth: passthrough, appAuth: passthrough };
  test.each<[string, Record<string, unknown>, string[]]>([
    ['passes on both sides', both, []],
    ['listed, and passes on both sides', { ...both, ...list('authorization') }, []],
    ['mapped, and passes on both sides', { ...both, ...mapping('Authorization', 'X-User-Token') }, []],
    ['listed with a stored credential', list('X-Tenant', 'AUTHORIZATION'), ['authorization_not_forwardable /headerPolicy/list/1']],
    ['mapped with a stored credential', mapping('Authorization', 'X-User-Token'), ['authorization_not_forwardable /headerPolicy/mappings/1/source']],
    ['listed with no app authentication', { ...list('Authorization'), agentAuth: passthrough, appAuth: none }, ['authorization_not_forwardable /headerPolicy/list/0']],
    ['with mode none', { ...both, headerPolicy: { mode: 'none' } }, ['authorization_not_selected /headerPolicy']],
    ['not listed', { ...both, ...list('X-Tenant') }, ['authorization_not_selected /headerPolicy']],
    ['not mapped', { ...both, ...mapping('X-Tenant') }, ['authorization_not_selected /headerPolicy']],
    ['restricted on purpose', { appAuth: passthrough, agentAuth: { ...passthrough, restrictedHeaders: ['auth*'] } }, []],
    ['of callers with a key of the gateway', { appAuth: passthrough }, ['passthrough_without_authorization /appAuth']],
    ['of such callers, and listed', { appAuth: passthrough, ...list('Authorization') }, ['passthrough_without_authorization /appAuth', 'authorization_not_forwardable /headerPolicy/list/0']],
  ])('%s', (_name, overrides, expected) => expect(codes(overrides)).toEqual(expected));
});

describe('rows without an effect', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['X-Upstream-Authorization listed', list('X-Upstream-Authorization'), ['upstream_authorization_needs_no_row /headerPolicy/list/0']],
    ['X-Upstream-Authorization mapped', mapping('x-upstream-authorization', 'Authorization'), ['upstream_authorization_needs_no_row /headerPolicy/mappings/1/source']],
    ['what app authentication sets, listed', list('X-Tenant', 'x_tenant.key'), []],
    ['what app authentication sets, in another spelling', { ...list('x_api.key'), appAuth: { type: 'api-key', in: 'header', name: 'X-API-Key', value: 'k' } }, ['target_never_leaves /headerPolicy/list/0']],
    ['what app authentication sets, as a target', mapping('X-Token', 'Authorization'), ['target_never_leaves /headerPolicy/mappings/1/target']],
    ['what an outbound header sets, as a target', { ...mapping('X-Key', 'x-service-key'), outboundHeaders }, ['target_never_leaves /headerPolicy/mappings/1/target']],
    ['what the policy restricts', { headerPolicy: { mode: 'list', list: ['X-Ok', 'X_Internal_Id'], restricted: ['x-internal-*'] } }, ['target_never_leaves /headerPolicy/list/1']],
    ['a target that the policy restricts', { headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-Id', target: 'X-Internal-Id' }], restricted: ['x-internal-*'] } }, ['target_never_leaves /headerPolicy/mappings/0/target']],
    ['a source that the policy restricts', { headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-Internal-Id', target: 'X-Id' }], restricted: ['x-internal-*'] } }, ['target_never_leaves /headerPolicy/mappings/0/source']],
    ['what agent authentication restricts', { ...list('X-Internal-Id'), appAuth: none, agentAuth: { ...passthrough, restrictedHeaders: ['x-internal-*'] } }, ['target_never_leaves /headerPolicy/list/0']],
    ['what the gateway writes', list('User-Agent'), ['target_never_leaves /headerPolicy/list/0']],
    ['what the gateway writes and may be replaced', { headerPolicy: { mode: 'list', list: ['User-Agent'], overwriteBaseHeaders: true } }, []],
    ['one of two targets of one source', { headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-A', target: 'Authorization' }, { source: 'x-a' }] } }, ['target_never_leaves /headerPolicy/mappings/0/target']],
    ['none at all', { headerPolicy: { mode: 'all' } }, []],
  ])('%s', (_name, overrides, expected) => expect(codes(overrides)).toEqual(expected));

  test('the global policy counts where the server says nothing', () => {
    const policy = { ...noGlobalPolicy, restricted: ['x-secret-*'], overwriteBaseHeaders: true };
    expect(codes(list('X-Secret-Id', 'Accept'), policy)).toEqual(['target_never_leaves /headerPolicy/list/0']);
  });

  test('a switch that is off, and rows of the global policy, are not said of each server', () => {
    const rows = [{ source: 'Authorization', target: 'Authorization', rule: 'list Authorization', from: 'global' as const }];
    expect(codes({}, { ...noGlobalPolicy, mode: 'rows', modeFrom: 'global', rows })).toEqual([]);
    expect(codes(list('X-Tenant'), { ...noGlobalPolicy, enabled: false })).toEqual([]);
  });

  test('each says in a sentence what happens, and names no value', () => {
    const details = warningsOf({ ...mapping('X-Key', 'X-Service-Key'), outboundHeaders }).map(({ detail }) => detail);
    expect(details).toEqual(['X-Service-Key never leaves: an outbound header sets it.']);
  });
});
