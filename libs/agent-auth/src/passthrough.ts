import { z } from 'zod';
import { agentAuthType } from './agent-auth-type.ts';
import { anonymousCaller } from './caller.ts';

const anyone = { caller: anonymousCaller } as const;

export const passthrough = agentAuthType({
  type: 'passthrough',
  title: 'Passthrough',
  description: 'Nothing is checked: whoever reaches the gateway may call.',
  schema: z.strictObject({ type: z.literal('passthrough') }).meta({ title: 'Passthrough' }),
  prepare: () => ({ type: 'passthrough', open: true, authenticate: () => anyone }),
});
