import { completeSecret, readableSecret, type SecretField, writableSecret } from '@gatehouse/config-fields';
import { checkClientSecrets, clientFields, prepareClientToken } from '@gatehouse/token-exchange';
import { z } from 'zod';
import { outboundHeaderSource } from './outbound-header-source.ts';

const fields = <S extends z.ZodType>(secret: SecretField<S>) =>
  z.strictObject({ type: z.literal('service-token'), ...clientFields(secret) }).meta({ title: 'Service token' });

export const serviceToken = outboundHeaderSource({
  type: 'service-token',
  title: 'Service token',
  description: 'A token of a client of the gateway’s own (OAuth 2.1 client credentials), the same for all callers.',
  writable: fields(writableSecret),
  complete: fields(completeSecret).superRefine((config, context) => checkClientSecrets(config, context)),
  readable: fields(readableSecret),
  prepare: (config) => {
    const { wouldCall, obtain } = prepareClientToken(config);
    return { type: 'service-token', credentialKind: 'client', wouldCall, obtain: ({ tokens, refused }) => obtain(tokens, refused) };
  },
});
