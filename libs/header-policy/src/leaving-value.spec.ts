import { expect, it } from 'vitest';
import { HeaderPattern } from './header-pattern.ts';
import { HeaderRules, type HeaderRulesOptions } from './header-rules.ts';
import { leavingValue } from './leaving-value.ts';

const rule = { rule: 'a rule', from: 'server' } as const;
const rulesWith = (more: Partial<HeaderRulesOptions> = {}): HeaderRules =>
  new HeaderRules({
    selection: { mode: 'none', ...rule }, restricted: [{ pattern: new HeaderPattern('x-internal-*'), from: 'server' }], overwriteBaseHeaders: false,
    maxValueBytes: { bytes: 8, ...rule }, baseHeaders: new Set(), appAuthHeaders: [], outboundHeaders: [], forwardsAuthorization: true, storesCredential: false, ...more,
  });

it.each<[string, string[], string, string | undefined]>([
  ['the one of that name, in any case', ['X-Tenant', ' acme\t', 'X-Other', 'b'], 'x-tenant', 'acme'],
  ['several rows as one list', ['a', '1', 'X', 'y', 'A', '2'], 'A', '1, 2'],
  ['none', ['X-Tenant', 'acme'], 'X-Org', undefined],
  ['another spelling', ['X_Tenant', 'acme'], 'X-Tenant', undefined],
  ['an empty one', ['X-Tenant', ' '], 'X-Tenant', undefined],
  ['one that is too long', ['X-Tenant', '123456789'], 'X-Tenant', undefined],
  ['a list that is too long', ['X-Tenant', '1234', 'X-Tenant', '5678'], 'X-Tenant', undefined],
  ['one with a control character', ['X-Tenant', 'a\0'], 'X-Tenant', undefined],
  ['a restricted one', ['X-Internal-Id', '1'], 'X-Internal-Id', undefined],
  ['a restricted one in another spelling', ['X_Internal.Id', '1'], 'X_Internal.Id', undefined],
  ['a credential', ['Authorization', 'b'], 'Authorization', undefined],
  ['one that is meant for the upstream, by its own rule', ['X-Upstream-Authorization', 'b'], 'X-Upstream-Authorization', undefined],
  ['a cookie', ['Cookie', 'a=b'], 'Cookie', undefined],
  ['the gateway’s own', ['X-Gatehouse-Key', 'k'], 'X-Gatehouse-Key', undefined],
  ['one that Connection lists', ['X-Hop', 'a'], 'X-Hop', undefined],
])('%s', (_, rows, name, value) => expect(leavingValue(rulesWith(), rows, new Set(['x-hop']), name)).toBe(value));

it('nothing leaves when pass-through is switched off', () => expect(leavingValue(rulesWith({ switchedOff: rule }), ['X-Tenant', 'acme'], undefined, 'X-Tenant')).toBeUndefined());
