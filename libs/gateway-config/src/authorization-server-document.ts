import { z } from 'zod';

/** The id of the one document of kind `authorization-server`. */
export const authorizationServerId = '00000000-0000-7000-8000-000000000002';

/** A public key that signs access tokens (RFC 7518 section 6.2). Strict: no private member can come along. */
const publicSigningKey = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  kid: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
});

export type PublicSigningKey = z.output<typeof publicSigningKey>;

/** What the agents' authorization server tells the data planes: which access tokens are its own, and which of them are no longer good. */
export const authorizationServerDocument = z.strictObject({
  kind: z.literal('authorization-server'),
  id: z.string(),
  /** Exactly as tokens have it in `iss`. */
  issuer: z.string(),
  jwks: z.strictObject({ keys: z.array(publicSigningKey) }),
  /**
   * Grants that were revoked, by the claim `grant` of their tokens. Until `until` (seconds since the epoch) they are named here; by then
   * their tokens have expired, and the streams that were opened with them have ended.
   */
  revoked: z.array(z.strictObject({ grant: z.string(), until: z.number().int() })),
  /** Whether clients may register themselves (RFC 7591); they may where it is absent. */
  registersClients: z.boolean().optional(),
  /** Identity providers that are switched off, by the claim `idp` of their people's tokens. */
  suspendedProviders: z.array(z.string()).optional(),
});

export type AuthorizationServerDocument = z.output<typeof authorizationServerDocument>;
