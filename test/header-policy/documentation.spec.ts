import { readFileSync } from 'node:fs';
import { writableHeaderPolicy, writableServer } from '@gatehouse/gateway-config';
import { dropReasons } from '@gatehouse/header-policy';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { z } from 'zod';

/* docs/header-policy.md names everything there is, and its recipes are documents that are accepted. */

const text = readFileSync(new URL('../../docs/header-policy.md', import.meta.url), 'utf8');

/** The command line puts a text in its place. */
const withSecrets = (document: unknown): { kind: string } =>
  JSON.parse(JSON.stringify(document), (_, value: unknown) => (typeof value === 'object' && value !== null && 'fromEnv' in value ? 'from the environment' : value)) as { kind: string };

const schemas: Record<string, z.ZodType> = { Server: writableServer, HeaderPolicy: writableHeaderPolicy };
const recipes = [...text.matchAll(/\*\*([^*]+)\*\*[^*]*?```yaml\n([\s\S]*?)```/g)].map(([, title = '', yaml = '']) => [title, withSecrets(parse(yaml))] as const);

it.each(recipes)('%s', (_title, document) => expect(schemas[document.kind]?.safeParse(document).error).toBeUndefined());
it('every block of YAML is one of them', () => expect(recipes.length).toBe(text.match(/```yaml/g)?.length));

describe('it names', () => {
  it.each(dropReasons)('%s', (reason) => expect(text).toMatch(new RegExp(`^\\|.*\\| \`${reason}\` \\|$`, 'm')));
  it.each(['kept', 'renamed', 'replaced', 'set'])('%s', (action) => expect(text).toContain(`\`${action}\``));
  it.each(Object.keys(writableHeaderPolicy.shape).filter((field) => !['kind', 'revision', 'updatedAt', 'effective', 'warnings'].includes(field)))('%s', (field) =>
    expect(text).toMatch(new RegExp(`^\\| \`${field}\` \\|`, 'm')),
  );
});

it('tells the reasons in the order in which they are decided', () => {
  const first = (reason: string): number => text.indexOf(`| \`${reason}\` |`);
  const steps = ['blocked', 'hop_by_hop', 'connection_nominated', 'reserved', 'restricted', 'credential_not_forwardable', 'app_auth_wins', 'pass_through_off', 'not_selected', 'empty_value', 'value_too_long', 'invalid_value', 'base_header_wins'];
  expect(steps.map(first)).toEqual(steps.map(first).toSorted((a, b) => a - b));
});
