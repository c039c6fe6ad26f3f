import { z } from 'zod';
import { checkPolicyRows, headerPolicyFields } from './header-policy-fields.ts';
import { warning } from './warning.ts';

/** A server's own policy. */
export const serverHeaderPolicy = z.strictObject(headerPolicyFields).superRefine(checkPolicyRows).meta({ id: 'ServerHeaderPolicy', title: 'Header policy' });

export type ServerHeaderPolicy = z.output<typeof serverHeaderPolicy>;

const fields = {
  ...headerPolicyFields,
  enabled: z.boolean().meta({ title: 'Enabled', description: 'The master switch: false means that nothing of any caller’s headers passes anywhere.' }),
  source: z.enum(['db', 'env', 'merge']).optional().meta({
    title: 'Source of the list',
    description: 'db: this document, and the environment where it has no rows. env: the environment alone. merge: both; of two spellings this document’s. GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE wins over it.',
  }),
};

const readOnlyFields = {
  revision: z.number().meta({ description: '0 as long as no document is stored.' }),
  updatedAt: z.string().optional().meta({ description: 'Absent as long as no document is stored.' }),
};

const optionalReadOnly = z.object({ ...readOnlyFields, kind: z.literal('HeaderPolicy'), effective: z.unknown(), warnings: z.array(warning) }).partial().shape;

/** The global policy as it is written. */
export const writableHeaderPolicy = z
  .strictObject({ ...fields, mode: fields.mode.optional(), enabled: fields.enabled.optional(), ...optionalReadOnly })
  .superRefine((policy, context) => {
    // Unlike a server's, it may have no mode: then it has no rows either, which nobody means who writes some.
    if (policy.mode === undefined && (policy.list !== undefined || policy.mappings !== undefined)) {
      context.addIssue({ code: 'custom', path: ['mode'], message: `is required: "${policy.list === undefined ? 'mappings' : 'list'}" for the rows that are given` });
    }
    checkPolicyRows(policy, context);
  });

/** What is stored. `mode` absent: the document has no rows, and the environment's list counts (source db). */
export const storedHeaderPolicy = z.strictObject({ ...fields, mode: fields.mode.optional(), enabled: fields.enabled.optional() });

export type StoredHeaderPolicy = z.output<typeof storedHeaderPolicy>;

const globalRow = z.strictObject({ source: z.string(), target: z.string(), rule: z.string(), from: z.enum(['global', 'environment']) });

/**
 * The global policy with its sources resolved: what data planes work with, and what reading shows as `effective`. With mode
 * `rows` the rows are those of list and mappings, each with where it came from.
 */
export const globalHeaderPolicy = z
  .strictObject({
    enabled: z.boolean(),
    enabledFrom: z.enum(['global', 'environment', 'built-in']),
    mode: z.enum(['none', 'all', 'rows']),
    modeFrom: z.enum(['global', 'environment', 'built-in']),
    rows: z.array(globalRow),
    restricted: headerPolicyFields.restricted.unwrap(),
    overwriteBaseHeaders: z.boolean(),
    maxValueBytes: headerPolicyFields.maxValueBytes.unwrap(),
    maxValueBytesFrom: z.enum(['global', 'built-in']),
  })
  .meta({ id: 'EffectiveHeaderPolicy' });

export type GlobalHeaderPolicy = z.output<typeof globalHeaderPolicy>;

/** The global policy as it is read. */
export const readableHeaderPolicy = z
  .object({
    kind: z.literal('HeaderPolicy'),
    ...fields,
    mode: fields.mode.optional(),
    ...readOnlyFields,
    effective: globalHeaderPolicy,
    warnings: z.array(warning),
  })
  .meta({ id: 'HeaderPolicy' });

export type ReadableHeaderPolicy = z.output<typeof readableHeaderPolicy>;
