import { fitForHeader } from '@gatehouse/app-auth';
import { completeSecret, readableSecret, type SecretField, writableSecret } from '@gatehouse/config-fields';
import { z } from 'zod';
import { outboundHeaderSource } from './outbound-header-source.ts';

// Kept as a secret: whoever needs a fixed header mostly needs it for a key.
const fields = <S extends z.ZodType>(secret: SecretField<S>) =>
  z.strictObject({ type: z.literal('static'), value: fitForHeader(secret({ title: 'Value' })) }).meta({ title: 'Static value' });

export const staticValue = outboundHeaderSource({
  type: 'static',
  title: 'Static value',
  description: 'The same value on every request.',
  writable: fields(writableSecret),
  complete: fields(completeSecret),
  readable: fields(readableSecret),
  prepare: ({ value }) => ({ type: 'static', credentialKind: 'stored', obtain: () => value }),
});
