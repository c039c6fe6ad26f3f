import { describe, expect, it } from 'vitest';
import type { StoredHeaderPolicy } from './header-policy-document.ts';
import { type EnvironmentPolicy, noGlobalPolicy, resolveGlobalPolicy } from './resolve-global-policy.ts';

const environment = (more: Partial<EnvironmentPolicy> = {}): EnvironmentPolicy => ({ enabled: true, list: ['X-Env'], source: undefined, ...more });
const list = (...names: string[]): StoredHeaderPolicy => ({ mode: 'list', list: names });

/** What passes, each with where its row was written. */
function resolved(document: StoredHeaderPolicy | undefined, env: EnvironmentPolicy): string {
  const { mode, rows } = resolveGlobalPolicy(document, env);
  return mode === 'rows' ? rows.map(({ source, target, from }) => `${source}→${target} ${from}`).join(', ') : mode;
}

describe('which headers pass', () => {
  it.each<[string, StoredHeaderPolicy | undefined, EnvironmentPolicy, string]>([
    ['no document', undefined, environment(), 'X-Env→X-Env environment'],
    ['nothing at all', undefined, environment({ list: [] }), 'none'],
    ['a document without rows', { restricted: ['x-*'] }, environment(), 'X-Env→X-Env environment'],
    ['a document with rows', list('X-Doc'), environment(), 'X-Doc→X-Doc global'],
    ['a document whose list is empty', list(), environment(), 'none'],
    ['a document that says none', { mode: 'none' }, environment(), 'none'],
    ['a document that says all', { mode: 'all' }, environment({ source: 'merge' }), 'all'],
    ['env, by the document', { ...list('X-Doc'), source: 'env' }, environment(), 'X-Env→X-Env environment'],
    ['env, by the environment', list('X-Doc'), environment({ source: 'env' }), 'X-Env→X-Env environment'],
    ['db, by the environment, over the document', { ...list('X-Doc'), source: 'merge' }, environment({ source: 'db' }), 'X-Doc→X-Doc global'],
    ['merge', list('X-Doc'), environment({ source: 'merge' }), 'X-Doc→X-Doc global, X-Env→X-Env environment'],
    ['merge, by the document', { ...list('X-Doc'), source: 'merge' }, environment(), 'X-Doc→X-Doc global, X-Env→X-Env environment'],
    ['merge without a document', undefined, environment({ source: 'merge' }), 'X-Env→X-Env environment'],
    ['merge with a document that says none', { mode: 'none' }, environment({ source: 'merge' }), 'X-Env→X-Env environment'],
    ['merge: the document’s spelling', list('X-Tenant-ID'), environment({ source: 'merge', list: ['x-tenant-id', 'X-Env'] }), 'X-Tenant-ID→X-Tenant-ID global, X-Env→X-Env environment'],
    ['merge: a mapping of the same header', { mode: 'mappings', mappings: [{ source: 'x-env', target: 'X-Other' }] }, environment({ source: 'merge' }), 'x-env→X-Other global'],
    ['merge: a mapping’s target is its own', { mode: 'mappings', mappings: [{ source: 'X-From-Proxy', target: 'X_Env' }] }, environment({ source: 'merge' }), 'X-From-Proxy→X_Env global'],
    ['a name that the environment has twice', undefined, environment({ list: ['X-Env', 'x-env'] }), 'X-Env→X-Env environment'],
    ['a mapping without a target', { mode: 'mappings', mappings: [{ source: 'X-A' }, { source: 'X-B', target: '' }] }, environment(), 'X-A→X-A global, X-B→X-B global'],
  ])('%s', (_name, document, env, expected) => expect(resolved(document, env)).toBe(expected));
});

describe('the master switch', () => {
  it.each<[boolean | undefined, boolean, boolean, string]>([
    [undefined, true, true, 'environment'],
    [true, true, true, 'environment'],
    [false, true, false, 'global'],
    [true, false, false, 'environment'],
    [false, false, false, 'environment'],
  ])('document %s, environment %s: %s, by the %s', (inDocument, enabled, expected, from) => {
    const policy = resolveGlobalPolicy(inDocument === undefined ? undefined : { enabled: inDocument }, environment({ enabled }));
    expect([policy.enabled, policy.enabledFrom]).toEqual([expected, from]);
  });

  it('of a document that is not read does not count', () => {
    expect(resolveGlobalPolicy({ enabled: false }, environment({ source: 'env' })).enabled).toBe(true);
  });
});

it('source env in the document replaces its rows and nothing else; in the environment, the document is not read', () => {
  const document: StoredHeaderPolicy = { ...list('X-Doc'), source: 'env', restricted: ['x-internal-*'], overwriteBaseHeaders: true, maxValueBytes: 100 };
  const facts = (policy: ReturnType<typeof resolveGlobalPolicy>): unknown => [policy.restricted, policy.overwriteBaseHeaders, policy.maxValueBytes, policy.maxValueBytesFrom];
  expect(facts(resolveGlobalPolicy(document, environment()))).toEqual([['x-internal-*'], true, 100, 'global']);
  expect(facts(resolveGlobalPolicy(document, environment({ source: 'env' })))).toEqual([[], false, 8192, 'built-in']);
});

it('without anything, nothing passes', () => expect(noGlobalPolicy).toMatchObject({ enabled: true, mode: 'none', rows: [] }));
