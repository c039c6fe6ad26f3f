import { z } from 'zod';

/** Of everything that is sent. */
export const maxInputBytes = 262_144;

const header = z.union([z.string(), z.strictObject({ name: z.string(), value: z.string() })]);

const request = z
  .strictObject({
    method: z.string().regex(/^[A-Za-z]{1,32}$/, 'must be a method such as POST').optional().meta({ description: 'POST when absent.' }),
    path: z.string().max(8192).optional().meta({ description: 'Path and query, or the whole URL.' }),
    headers: z
      .union([z.array(header), z.record(z.string(), z.string())])
      .optional()
      .meta({ description: 'In the order in which they are sent: lines such as "X-Tenant: acme", or name and value; or an object.' }),
    body: z.unknown().optional().meta({ description: 'Text, or JSON. A tools/call message when absent.' }),
  })
  .meta({ title: 'Request' });

/** What can be explained: exactly one of three. */
export const explainInput = z
  .strictObject({
    request: request.optional(),
    curl: z.string().optional().meta({ title: 'curl command', description: 'As browsers and people write it. Nothing of it is run.' }),
    har: z.looseObject({}).optional().meta({ title: 'HAR entry', description: 'An entry of an HTTP archive (HAR 1.2), or its request.' }),
  })
  .superRefine((input, context) => {
    const given = [input.request, input.curl, input.har].filter((form) => form !== undefined);
    if (given.length !== 1) context.addIssue({ code: 'custom', path: [], message: 'needs exactly one of request, curl and har' });
  })
  .meta({ id: 'ExplainInput' });

export type ExplainInput = z.output<typeof explainInput>;
