import { completeSecret, readableSecret, type SecretField, writableSecret } from '@gatehouse/config-fields';
import { checkClientSecrets, clientFields, prepareClientToken } from '@gatehouse/token-exchange';
import { z } from 'zod';
import { appAuthType } from './app-auth-type.ts';
import { credentialOfToken } from './credential-of-token.ts';

const fields = <S extends z.ZodType>(secret: SecretField<S>) =>
  z.strictObject({ type: z.literal('oauth-client-credentials'), ...clientFields(secret) }).meta({ title: 'OAuth 2.1 client credentials' });

export const oauthClientCredentials = appAuthType({
  type: 'oauth-client-credentials',
  title: 'OAuth 2.1 client credentials',
  description: 'A token of the gateway’s own (RFC 6749 section 4.4), fetched when it is needed and kept until shortly before it expires.',
  writable: fields(writableSecret),
  complete: fields(completeSecret).superRefine((config, context) => checkClientSecrets(config, context)),
  readable: fields(readableSecret),
  prepare: (config) => {
    const { wouldCall, obtain } = prepareClientToken(config);
    return {
      type: 'oauth-client-credentials',
      credentialKind: 'client',
      headerNames: ['Authorization'],
      storesCredential: true,
      wouldCall,
      obtain: ({ tokens, refused }) => credentialOfToken(obtain(tokens, refused)),
    };
  },
});
