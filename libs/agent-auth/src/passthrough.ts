import { headerPattern } from '@gatehouse/header-policy';
import { z } from 'zod';
import { agentAuthType } from './agent-auth-type.ts';
import { anonymousCaller } from './caller.ts';
import { jwtValidation, prepareJwtValidation } from './jwt-validation.ts';

const anyone = { caller: anonymousCaller } as const;

export const passthrough = agentAuthType({
  type: 'passthrough',
  title: 'Passthrough',
  description: 'Nothing is checked, and whoever reaches the gateway may call; or the caller’s JWT is.',
  schema: z
    .strictObject({
      type: z.literal('passthrough'),
      jwt: jwtValidation.optional(),
      restrictedHeaders: z
        .array(headerPattern('Pattern'))
        .max(100)
        .optional()
        .meta({ title: 'Restricted headers', description: 'Of the caller’s headers, those that never go on: patterns such as x-internal-*.' }),
    })
    .meta({ title: 'Passthrough' }),
  prepare: ({ jwt, restrictedHeaders = [] }) => ({
    type: 'passthrough',
    open: jwt === undefined,
    restrictedHeaders,
    forwardsAuthorization: true,
    authenticate: jwt === undefined ? () => anyone : prepareJwtValidation(jwt),
    // Nothing of what it goes by is in the snapshot.
    stillAdmits: () => true,
  }),
});
