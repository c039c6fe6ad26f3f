import { completeSecret } from '@gatehouse/config-fields';
import { z } from 'zod';

/** The id of the one document of kind `identity-keys`. */
export const identityKeysId = '00000000-0000-7000-8000-000000000004';

/**
 * What data planes sign callers' identities with: keys of their own, which sign nothing else. The authorization server's stay in the
 * control plane.
 */
export const identityKeysDocument = z.strictObject({
  kind: z.literal('identity-keys'),
  id: z.string(),
  /** Who publishes the public keys: `iss` of what is signed. */
  issuer: z.string(),
  keys: z
    .array(
      z.strictObject({
        /** Seconds since the epoch: the newest one that may sign does. */
        signsFrom: z.number().int(),
        /** RFC 7518 section 6.2. */
        jwk: z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string(), kid: z.string(), d: completeSecret({ title: 'Private key' }) }),
      }),
    )
    .min(1),
});

export type IdentityKeysDocument = z.input<typeof identityKeysDocument>;
