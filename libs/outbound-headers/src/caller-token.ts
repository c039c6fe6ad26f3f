import { type SubjectKind, subjectNames, subjectTokenOf } from '@gatehouse/token-exchange';
import { z } from 'zod';
import { outboundHeaderSource } from './outbound-header-source.ts';

const schema = z
  .strictObject({
    type: z.literal('caller-token'),
    from: z.enum(['caller', 'identity-provider']).optional().meta({
      title: 'From',
      description: 'caller: the token that the caller came with, where the server validates it. identity-provider: the access token that the person’s identity provider gave when they logged in. When absent, the latter for people and the former for everybody else.',
    }),
  })
  .meta({ title: 'Caller’s token' });

const kinds: Readonly<Record<'caller' | 'identity-provider', SubjectKind>> = { caller: 'caller-token', 'identity-provider': 'identity-provider-token' };

export const callerToken = outboundHeaderSource({
  type: 'caller-token',
  title: 'Caller’s token',
  description: 'The token that says who calls, as another issuer than the gateway gave it. The upstream can do with it whatever the caller can.',
  writable: schema,
  complete: schema,
  readable: schema,
  prepare: ({ from }) => {
    const kind = from && kinds[from];
    return {
      type: 'caller-token',
      credentialKind: 'caller',
      missing: 'subject_token_missing',
      ...(kind === 'identity-provider-token' && { wouldCall: `the token broker, for ${subjectNames[kind]}` }),
      obtain: (context) => subjectTokenOf(kind, 'access-token', context),
    };
  },
});
