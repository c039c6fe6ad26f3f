import { completeSecret, readableSecret, type SecretField, writableSecret } from '@gatehouse/config-fields';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { appAuthType, fixedCredentials } from './app-auth-type.ts';
import { credentialHeaderName, fitForHeader } from './credential-fields.ts';
import { toHeaderBytes } from './header-bytes.ts';

// Made once: making a schema costs a hundred times what using it does, and this one is used for every document.
const headerField = credentialHeaderName();

const fields = <S extends z.ZodType>(secret: SecretField<S>) =>
  z
    .strictObject({
      type: z.literal('api-key'),
      name: z.string().min(1).max(256).meta({ title: 'Name', description: 'Of the header or query parameter, such as X-API-Key.' }),
      in: z.enum(['header', 'query']).meta({ title: 'Location' }),
      value: fitForHeader(secret({ title: 'Value' })),
    })
    .superRefine((config, context) => {
      if (config.in !== 'header') return;
      const { error } = headerField.safeParse(config.name);
      for (const issue of error?.issues ?? []) context.addIssue({ code: 'custom', path: ['name'], message: issue.message });
    })
    .meta({ title: 'API key' });

export const apiKey = appAuthType({
  type: 'api-key',
  title: 'API key',
  description: 'A key in a header or a query parameter.',
  writable: fields(writableSecret),
  complete: fields(completeSecret),
  readable: fields(readableSecret),
  prepare: (config) =>
    fixedCredentials('api-key', [
      config.in === 'header'
        ? { in: 'header', name: config.name, value: new Secret(toHeaderBytes(config.value.reveal())) }
        : { in: 'query', name: config.name, value: config.value },
    ]),
});
