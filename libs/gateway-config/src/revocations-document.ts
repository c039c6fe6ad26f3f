import { z } from 'zod';

/** The id of the one document of kind `revocations`. */
export const revocationsId = '00000000-0000-7000-8000-000000000003';

/** Which access tokens of upstreams data planes forget: their connection has ended. */
export const revocationsDocument = z.strictObject({
  kind: z.literal('revocations'),
  id: z.string(),
  /** `subject` is a connection, or the app, the server or the person of many; `until` (seconds since the epoch) nobody has such a token any more. */
  revoked: z.array(z.strictObject({ subject: z.string(), until: z.number().int() })),
});

export type RevocationsDocument = z.output<typeof revocationsDocument>;
