import { z } from 'zod';
import { appAuthType, fixedCredentials } from './app-auth-type.ts';

const schema = z.strictObject({ type: z.literal('none') }).meta({ title: 'None' });

export const none = appAuthType({
  type: 'none',
  title: 'None',
  description: 'The upstream is public: nothing is added.',
  writable: schema,
  complete: schema,
  readable: schema,
  prepare: () => fixedCredentials('none', []),
});
