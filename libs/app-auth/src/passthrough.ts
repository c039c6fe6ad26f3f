import { z } from 'zod';
import { appAuthType } from './app-auth-type.ts';

const schema = z.strictObject({ type: z.literal('passthrough') }).meta({ title: 'Passthrough' });

export const passthrough = appAuthType({
  type: 'passthrough',
  title: 'Passthrough',
  description: 'The caller brings the credential: its headers are forwarded, as the header policy says.',
  writable: schema,
  complete: schema,
  readable: schema,
  prepare: () => ({ type: 'passthrough', credentialKind: 'caller', headerNames: [], storesCredential: false, obtain: () => [] }),
});
