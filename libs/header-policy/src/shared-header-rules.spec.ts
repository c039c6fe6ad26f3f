import { expect, it } from 'vitest';
import { HeaderPattern } from './header-pattern.ts';
import type { HeaderRulesOptions } from './header-rules.ts';
import { sharedHeaderRules } from './shared-header-rules.ts';

const rule = { rule: 'a rule', from: 'server' } as const;
const options = (): HeaderRulesOptions => ({
  selection: { mode: 'rows', rows: [{ source: 'X-Tenant', target: 'X-Org', ...rule }], ...rule }, restricted: [{ pattern: new HeaderPattern('x-internal-*'), from: 'server' }], overwriteBaseHeaders: false,
  maxValueBytes: { bytes: 8, ...rule }, baseHeaders: new Set(['accept']), appAuthHeaders: ['X-API-Key'], outboundHeaders: ['X-User'], forwardsAuthorization: false, storesCredential: false,
});

it('servers with equal options have one object', () => {
  expect(sharedHeaderRules(options())).toBe(sharedHeaderRules(options()));
});

// Whatever is left out of what they are compared by would give a server the rules of another one.
it.each<[keyof HeaderRulesOptions, Partial<HeaderRulesOptions>]>([
  ['switchedOff', { switchedOff: rule }],
  ['selection', { selection: { mode: 'all', ...rule } }],
  ['selection', { selection: { mode: 'rows', rows: [{ source: 'X-Tenant', target: 'X-Customer', ...rule }], ...rule } }],
  ['selection', { selection: { mode: 'rows', rows: [{ source: 'X-Tenant', target: 'X-Org', ...rule, from: 'global' }], ...rule } }],
  ['restricted', { restricted: [] }],
  ['restricted', { restricted: [{ pattern: new HeaderPattern('x-secret-*'), from: 'server' }] }],
  ['restricted', { restricted: [{ pattern: new HeaderPattern('x-internal-*'), from: 'global' }] }],
  ['overwriteBaseHeaders', { overwriteBaseHeaders: true }],
  ['maxValueBytes', { maxValueBytes: { bytes: 9, ...rule } }],
  ['baseHeaders', { baseHeaders: new Set(['user-agent']) }],
  ['appAuthHeaders', { appAuthHeaders: ['X-Key'] }],
  ['outboundHeaders', { outboundHeaders: [] }],
  ['forwardsAuthorization', { forwardsAuthorization: true }],
  ['storesCredential', { storesCredential: true }],
])('another %s, another object, with what it was made of', (_, other) => {
  const rules = sharedHeaderRules({ ...options(), ...other });
  expect(rules).not.toBe(sharedHeaderRules(options()));
  expect(rules.options).toMatchObject(other);
});
