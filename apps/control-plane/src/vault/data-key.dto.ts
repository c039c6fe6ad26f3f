import { slug } from '@gatehouse/config-fields';
import { createZodDto } from 'nestjs-zod';
import { z } from 'zod';
import { pageSchema } from '../http/page-schema.ts';

const workspace = z.string().nullable().meta({ description: 'Name of the workspace; null: what belongs to none.' });

const readableDataKey = z
  .object({
    workspace,
    term: z.number().int(),
    state: z.enum(['staged', 'active', 'decrypt-only', 'destroyed']),
    root: z.string().nullable().meta({ description: 'The root key that wraps it; null where an earlier release did, or where it is destroyed.' }),
    sealedCount: z.number().int().meta({ description: 'How many values it has sealed so far.' }),
    values: z.number().int().meta({ description: 'How many values are sealed under it now.' }),
    unreadable: z.number().int().meta({ description: 'How many of them rotation found that nothing opens where they are. They keep the key from being destroyed.' }),
    rotationDue: z.boolean().meta({ description: 'It has sealed so much that another one should take its place.' }),
    createdAt: z.string(),
    activatedAt: z.string().nullable(),
    destroyedAt: z.string().nullable(),
  })
  .meta({ id: 'DataKey' });

const dataKeyPage = pageSchema(readableDataKey)
  .extend({ rotating: z.boolean().meta({ description: 'A rotation has been requested or is going on, of any of the keys that were asked for.' }) })
  .meta({ id: 'DataKeyPage' });

export const rotationRequest = z.strictObject({
  workspace: z
    .union([slug('Workspace'), z.null()])
    .optional()
    .meta({ title: 'Workspace', description: 'Whose keys; null: those of what belongs to no workspace; absent: all.' }),
});

const requestedRotations = z.object({ requested: z.number().int().meta({ description: 'How many keys will be rotated.' }) }).meta({ id: 'RequestedRotations' });

export type ReadableDataKey = z.output<typeof readableDataKey>;
export type DataKeys = z.output<typeof dataKeyPage>;
export type RequestedRotations = z.output<typeof requestedRotations>;

export class DataKeyPage extends createZodDto(dataKeyPage) {}
export class RotationRequestInput extends createZodDto(rotationRequest.meta({ id: 'RotationRequest' })) {}
export class RequestedRotationsOutput extends createZodDto(requestedRotations) {}
