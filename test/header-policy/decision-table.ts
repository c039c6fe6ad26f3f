import { readFileSync } from 'node:fs';
import { type EnvironmentPolicy, storedHeaderPolicy } from '@gatehouse/gateway-config';
import { dropReasons } from '@gatehouse/header-policy';
import { parse } from 'yaml';
import { z } from 'zod';

/*
 * docs/header-policy.cases.yaml, read strictly: a case with a field that nobody knows is a case that tests nothing. What the
 * fields mean stands at the top of the file itself.
 */

export type Row = readonly [name: string, value: string];

// By its own properties: `z.record` leaves out a header that is called __proto__.
const row = z
  .custom<Record<string, string>>((value) => typeof value === 'object' && value !== null && Object.entries(value).length === 1 && typeof Object.values(value)[0] === 'string', 'must be one name with one text')
  .transform((value) => Object.entries(value)[0] as Row);
const headers = z.array(row);
const pointers = z.array(z.string().startsWith('/')).min(1);

const verdict = z.strictObject({
  name: z.string(),
  action: z.enum(['kept', 'renamed', 'dropped', 'replaced']),
  reason: z.enum(dropReasons).optional(),
  outgoingName: z.string().optional(),
  rule: z.string().optional(),
  from: z.enum(['server', 'global', 'environment', 'built-in']),
});

export type ExpectedVerdict = z.output<typeof verdict>;

const conditions = {
  shows: z.string(),
  why: z.string().regex(/^D\d+(, D\d+)*$/),
  server: z.strictObject({ agentAuth: z.unknown(), appAuth: z.unknown(), headerPolicy: z.unknown(), outboundHeaders: z.unknown() }).partial().default({}),
};

const environment = z
  .strictObject({ enabled: z.boolean().default(true), list: z.array(z.string()).default([]), source: z.enum(['db', 'env', 'merge']).optional() })
  .transform(({ source, ...settings }): EnvironmentPolicy => ({ ...settings, source }));

const global = z
  .strictObject({ document: storedHeaderPolicy.optional(), environment: environment.optional() })
  .default({})
  .transform((written) => ({ document: written.document, environment: written.environment ?? { enabled: true, list: [], source: undefined } }));

const request = { method: z.enum(['POST', 'GET', 'DELETE']).default('POST'), era: z.enum(['legacy', 'modern']).default('legacy'), sends: headers };

const passing = z.strictObject({ ...conditions, global, ...request, leaves: headers, query: z.string().optional(), verdicts: z.array(verdict), parser: z.literal(400).optional() });
const refused = z.strictObject({ ...conditions, global, ...request, refused: z.literal('duplicate_header') });
const invalid = z.strictObject({
  ...conditions,
  global: z.strictObject({ document: z.unknown() }).optional(),
  problems: z.union([z.strictObject({ server: pointers }), z.strictObject({ global: pointers })]),
});

const table = z.array(z.strictObject({ group: z.string(), cases: z.array(z.union([passing, refused, invalid])) }));

type Numbered<Case> = Case & {
  /** In the file, from 1: a name for its server. */
  readonly number: number;
  readonly title: string;
};
export type PassingCase = Numbered<z.output<typeof passing>>;
export type RefusedCase = Numbered<z.output<typeof refused>>;
export type InvalidCase = Numbered<z.output<typeof invalid>>;

const file = new URL('../../docs/header-policy.cases.yaml', import.meta.url);
const groups = table.parse(parse(readFileSync(file, 'utf8')));

const cases = groups.flatMap(({ group, cases: all }) => all.map((one) => ({ group, one }))).map(({ group, one }, index) => ({ ...one, number: index + 1, title: `${index + 1}. ${group}: ${one.shows}` }));

export const groupNames: readonly string[] = groups.map(({ group }) => group);
export const passingCases: readonly PassingCase[] = cases.filter((one) => 'leaves' in one);
export const refusedCases: readonly RefusedCase[] = cases.filter((one) => 'refused' in one);
export const invalidCases: readonly InvalidCase[] = cases.filter((one) => 'problems' in one);
export const caseCount = cases.length;
