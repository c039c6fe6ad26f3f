import { slug } from '@gatehouse/config-fields';
import { z } from 'zod';

const groups = z.array(z.string().min(1).max(256)).max(100).meta({ title: 'Groups' });

const fields = { name: slug('Name'), groups: groups.optional() };

const readOnlyFields = {
  id: z.string(),
  workspace: z.string(),
  revision: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
};

const kind = z.literal('ServiceAccount');

/** A service account as it is written. Its key is made by the gateway. */
export const writableServiceAccount = z.strictObject({ ...fields, ...z.object({ ...readOnlyFields, kind }).partial().shape });

/** A service account as it is read. */
export const readableServiceAccount = z.object({ ...readOnlyFields, kind, ...fields, groups }).meta({ id: 'ServiceAccount' });

/** The answer that makes a key: the only time it is shown. */
export const issuedServiceAccount = readableServiceAccount.extend({ key: z.string() }).meta({ id: 'IssuedServiceAccount' });

export type ReadableServiceAccount = z.output<typeof readableServiceAccount>;
