import { completeSecret, isHeaderValue, readableSecret, type SecretField, writableSecret } from '@gatehouse/config-fields';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { appAuthType, fixedCredentials } from './app-auth-type.ts';
import { fitForHeader } from './credential-fields.ts';

const fields = <S extends z.ZodType>(secret: SecretField<S>) =>
  z
    .strictObject({
      type: z.literal('basic'),
      // RFC 7617 section 2: a user-id with a colon cannot be told from the password.
      username: z
        .string()
        .max(1024)
        .refine((value) => !value.includes(':'), 'must not contain a colon')
        .refine(isHeaderValue, 'must not contain control characters')
        .meta({ title: 'User name' }),
      password: fitForHeader(secret({ title: 'Password', allowEmpty: true })),
    })
    .meta({ title: 'User name and password' });

export const basic = appAuthType({
  type: 'basic',
  title: 'User name and password',
  description: 'HTTP Basic authentication in UTF-8 (RFC 7617).',
  writable: fields(writableSecret),
  complete: fields(completeSecret),
  readable: fields(readableSecret),
  prepare: ({ username, password }) => {
    const encoded = Buffer.from(`${username}:${password.reveal()}`, 'utf8').toString('base64');
    return fixedCredentials('basic', [{ in: 'header', name: 'Authorization', value: new Secret(`Basic ${encoded}`) }]);
  },
});
