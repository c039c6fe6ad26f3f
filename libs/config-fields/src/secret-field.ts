import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';

/** What a form needs to know of a field, besides its type. */
export interface FieldMeta {
  readonly title: string;
  readonly description?: string;
  readonly allowEmpty?: boolean;
}

/** A view of a secret: how it is written, how it is when everything is known, how it is read back (D9, docs/rules.md). */
export type SecretField<S extends z.ZodType> = (meta: FieldMeta) => S;

/** Stands in a written document where `null` was: the stored secret is to be cleared. */
export const clearedSecret = Symbol('cleared secret');

const maxSecretLength = 65_536;
const text = (meta: FieldMeta) => z.string().min(meta.allowEmpty ? 0 : 1, 'must not be empty').max(maxSecretLength);
const form = (meta: FieldMeta) => ({ title: meta.title, ...(meta.description && { description: meta.description }) });

/** As written: text sets it, absent leaves it unchanged, `null` clears it; what reading gave may be sent back. */
export const writableSecret = (meta: FieldMeta) =>
  z
    .union([
      text(meta).meta({ format: 'password', writeOnly: true }),
      z.null(),
      z.strictObject({ set: z.boolean(), updatedAt: z.string().optional() }).meta({ description: 'As read: unchanged.' }),
    ])
    .optional()
    .meta({ ...form(meta), writeOnly: true })
    .transform((value): Secret | typeof clearedSecret | undefined =>
      typeof value === 'string' ? new Secret(value) : value === null ? clearedSecret : undefined,
    )
    .optional();

/** As it is in a snapshot: present, and a `Secret` from the moment it is parsed. */
export const completeSecret = (meta: FieldMeta) =>
  z
    .union([text(meta), z.instanceof(Secret)], { error: (issue) => (issue.input === undefined ? 'is required' : 'must be text') })
    .transform((value) => (value instanceof Secret ? value : new Secret(value)));

/** As it is read back: whether it is set, and since when. */
export const readableSecret = (meta: FieldMeta) =>
  z.object({ set: z.boolean(), updatedAt: z.string().optional() }).meta(form(meta));
