import { slug } from '@gatehouse/config-fields';
import { createZodDto } from 'nestjs-zod';
import { z } from 'zod';
import { pageSchema } from '../http/page-schema.ts';

const readOnlyFields = { kind: z.literal('Workspace'), id: z.string(), createdAt: z.string() };

/** A workspace as it is written; what reading adds may be sent back. */
export const writableWorkspace = z.strictObject({ name: slug('Name'), ...z.object(readOnlyFields).partial().shape });

export const readableWorkspace = z.object({ ...readOnlyFields, name: slug('Name') }).meta({ id: 'Workspace' });

export type ReadableWorkspace = z.output<typeof readableWorkspace>;

export class WorkspaceInput extends createZodDto(writableWorkspace) {}
export class WorkspaceOutput extends createZodDto(readableWorkspace) {}
export class WorkspacePage extends createZodDto(pageSchema(readableWorkspace).meta({ id: 'WorkspacePage' })) {}
