import { slug } from '@gatehouse/config-fields';
import { z } from 'zod';
import { workspaceAccess } from './access-rules.ts';
import { warning } from './warning.ts';

const fields = { name: slug('Name'), access: workspaceAccess.optional() };

const readOnlyFields = { id: z.string(), revision: z.number(), createdAt: z.string(), updatedAt: z.string() };

const kind = z.literal('Workspace');

/** A workspace as it is written; what reading adds may be sent back. */
export const writableWorkspace = z.strictObject({ ...fields, ...z.object({ ...readOnlyFields, kind, warnings: z.array(warning) }).partial().shape });

/** A workspace as it is read. */
export const readableWorkspace = z.object({ kind, ...readOnlyFields, ...fields, warnings: z.array(warning) }).meta({ id: 'Workspace' });

/** A workspace as data planes know it: who belongs to it. */
export const workspaceSnapshot = z.strictObject({ kind: z.literal('workspace'), id: z.string(), name: z.string(), access: workspaceAccess.optional() });

export type ReadableWorkspace = z.output<typeof readableWorkspace>;
