import { z } from 'zod';

/** Data planes make sense, and bound what they say; what does not is refused here, and must not reach the database. */
const text = (maxLength: number) => z.string().max(maxLength).transform((value) => value.replaceAll('\0', '').toWellFormed());

/** An event as data planes append it. What this release does not know is left out. */
export const appendedCallEvent = z.object({
  id: z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  at: z.iso.datetime(),
  dataPlane: text(256),
  workspace: text(63),
  server: text(63),
  serverId: text(63),
  /** Of a virtual server, whose tool it was. */
  member: text(63).optional(),
  caller: text(256).optional(),
  callerKind: text(63).optional(),
  endpoint: text(63).optional(),
  http: text(63).optional(),
  era: text(63).optional(),
  method: text(256).optional(),
  tool: text(256).optional(),
  outcome: text(63),
  credentials: z.array(text(63)).max(20).optional(),
  headers: z.record(text(63), z.int().min(0)).optional(),
  upstreamStatus: z.int().min(0).max(999).optional(),
  upstreamMs: z.number().min(0).optional(),
  durationMs: z.number().min(0),
});

export type CallEvent = z.output<typeof appendedCallEvent>;
