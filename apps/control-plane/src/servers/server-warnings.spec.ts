import { type GlobalHeaderPolicy, noGlobalPolicy } from '@gatehouse/gateway-config';
import { describe, expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { standingWarnings } from './server-warnings.ts';
import { readWrittenServer } from './written-server.ts';

function warningsOf(overrides: Record<string, unknown>, policy: GlobalHeaderPolicy = noGlobalPolicy) {
  const { document, secrets } = readWrittenServer(sampleServer('orders', overrides), { workspace: 'default', storedSecrets: [], openServersAllowed: true });
  return standingWarnings({ id: 'id', workspace: 'default', document }, [...secrets.set.keys()], policy);
}
/** `code pointer` of each. */
const codes = (overrides: Record<string, unknown>, policy?: GlobalHeaderPolicy): string[] => warningsOf(overrides, policy).map(({ code, pointer }) => `${code} ${pointer}`);

const passthrough = { type: 'passthrough' };
const none = { type: 'none' };
const list = (...names: string[]) => ({ headerPolicy: { mode: 'list', list: names } });
const mapping = (source: string, target?: string) => ({ headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-First' }, { source, ...(target && { target }) }] } });
const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', alg: 'EdDSA', use: 'sig' }] };
const issuer = 'https://login.example';
const outboundHeaders = [{ name: 'X-Service-Key', source: { type: 'static', value: 'fixed' } }];

describe('open servers (D11)', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['a stored credential behind no check', { agentAuth: passthrough }, ['open_server /agentAuth']],
    ['a stored outbound header behind no check', { agentAuth: passthrough, appAuth: none, outboundHeaders }, ['open_server /agentAuth']],
    ['nothing stored', { agentAuth: passthrough, appAuth: none }, []],
    ['a JWT that is checked', { agentAuth: { ...passthrough, jwt: { jwks, issuer } }, outboundHeaders }, []],
    ['callers with a key', { outboundHeaders }, []],
  ])('%s', (_name, overrides, expected) => expect(codes(overrides)).toEqual(expected));
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
