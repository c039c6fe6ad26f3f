import { completeSecret, readableSecret, type SecretField, writableSecret } from '@gatehouse/config-fields';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { appAuthType, fixedCredentials } from './app-auth-type.ts';
import { credentialHeaderName, fitForHeader } from './credential-fields.ts';
import { toHeaderBytes } from './header-bytes.ts';

const maxHeaders = 100;

const header = <S extends z.ZodType>(secret: SecretField<S>) =>
  z.strictObject({
    name: z.union([z.literal(''), credentialHeaderName()]).meta({ title: 'Header name' }),
    value: fitForHeader(secret({ title: 'Value', allowEmpty: true })),
  });

const count = (headers: readonly unknown[]): boolean => headers.length >= 1 && headers.length <= maxHeaders;
const countMessage = `needs at least one and at most ${maxHeaders} headers with a name`;

const fields = <S extends z.ZodType>(secret: SecretField<S>) =>
  z.strictObject({ type: z.literal('custom-headers'), headers: z.array(header(secret)).refine(count, countMessage) });

/** As written: rows without a name are ignored, of two rows with one name (without case) the last counts. */
const writable = z
  .strictObject({
    type: z.literal('custom-headers'),
    headers: z.array(header(writableSecret)).max(10 * maxHeaders).optional().meta({ title: 'Headers' }),
    // The legacy single pair; where both forms are given the list wins.
    name: z.union([z.literal(''), credentialHeaderName()]).optional().meta({ deprecated: true }),
    value: fitForHeader(writableSecret({ title: 'Value', allowEmpty: true })),
  })
  .meta({ title: 'Custom headers' })
  .transform(({ type, headers, name, value }) => {
    const rows = headers ?? (name ? [{ name, value }] : []);
    const byName = new Map(rows.filter((row) => row.name !== '').map((row) => [row.name.toLowerCase(), row]));
    return { type, headers: [...byName.values()] };
  })
  .refine((config) => count(config.headers), { path: ['headers'], message: countMessage });

export const customHeaders = appAuthType({
  type: 'custom-headers',
  title: 'Custom headers',
  description: 'Several authentication headers, each with its own value.',
  writable,
  complete: fields(completeSecret),
  readable: fields(readableSecret),
  prepare: (config) =>
    fixedCredentials(
      'custom-headers',
      config.headers.map(({ name, value }) => ({ in: 'header', name, value: new Secret(toHeaderBytes(value.reveal())) })),
    ),
});
