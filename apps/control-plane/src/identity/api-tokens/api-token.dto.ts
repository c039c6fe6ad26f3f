import { slug } from '@gatehouse/config-fields';
import { createZodDto } from 'nestjs-zod';
import { z } from 'zod';
import { pageSchema } from '../../http/page-schema.ts';

const role = z.enum(['auditor', 'editor', 'admin']).meta({ title: 'Role' });

export const writableApiToken = z.strictObject({
  name: slug('Name'),
  role,
  expiresAt: z
    .union([z.iso.datetime({ offset: true }), z.null()], 'must be a time such as 2027-01-31T00:00:00Z, or null for never')
    .optional()
    .meta({ title: 'Expires', description: 'In 90 days when absent; null: never.' }),
});

const readableApiToken = z
  .object({
    id: z.string(),
    name: z.string(),
    role,
    createdBy: z.string().meta({ description: 'As the audit trail names them.' }),
    createdAt: z.string(),
    expiresAt: z.string().nullable(),
    lastUsedAt: z.string().nullable().meta({ description: 'To the minute.' }),
  })
  .meta({ id: 'ApiToken' });

const issuedApiToken = readableApiToken.extend({ token: z.string().meta({ description: 'Shown only now.' }) }).meta({ id: 'IssuedApiToken' });

export type ReadableApiToken = z.output<typeof readableApiToken>;
export type IssuedApiToken = z.output<typeof issuedApiToken>;

export class ApiTokenInput extends createZodDto(writableApiToken) {}
export class IssuedApiTokenOutput extends createZodDto(issuedApiToken) {}
export class ApiTokenPage extends createZodDto(pageSchema(readableApiToken).meta({ id: 'ApiTokenPage' })) {}
