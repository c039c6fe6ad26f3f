import { completeSecret, readableSecret, type SecretField, writableSecret } from '@gatehouse/config-fields';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { appAuthType, fixedCredentials } from './app-auth-type.ts';
import { fitForHeader } from './credential-fields.ts';
import { toHeaderBytes } from './header-bytes.ts';

const fields = <S extends z.ZodType>(secret: SecretField<S>) =>
  z.strictObject({ type: z.literal('bearer'), token: fitForHeader(secret({ title: 'Token' })) }).meta({ title: 'Bearer token' });

export const bearer = appAuthType({
  type: 'bearer',
  title: 'Bearer token',
  description: 'A token sent as Authorization: Bearer (RFC 6750 section 2.1).',
  writable: fields(writableSecret),
  complete: fields(completeSecret),
  readable: fields(readableSecret),
  prepare: (config) =>
    fixedCredentials('bearer', [
      { in: 'header', name: 'Authorization', value: new Secret(toHeaderBytes(`Bearer ${config.token.reveal()}`)) },
    ]),
});
