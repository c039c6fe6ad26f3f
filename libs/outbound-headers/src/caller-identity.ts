import type { Caller } from '@gatehouse/agent-auth';
import { isHeaderValue } from '@gatehouse/config-fields';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { outboundHeaderSource } from './outbound-header-source.ts';

/** The default of D4 (docs/rules.md) for values of callers. */
const maxValueBytes = 8_192;

const schema = z
  .strictObject({
    type: z.literal('caller-identity'),
    claim: z.string().min(1).max(256).meta({ title: 'Claim', description: 'sub, email, name, or any other claim that is text, a number or a boolean.' }),
  })
  .meta({ title: 'Caller’s identity' });

export const callerIdentity = outboundHeaderSource({
  type: 'caller-identity',
  title: 'Caller’s identity',
  description: 'What is known of whoever calls, such as the email address. Plain text: the upstream has to trust the gateway’s network.',
  writable: schema,
  complete: schema,
  readable: schema,
  prepare: ({ claim }) => ({ type: 'caller-identity', obtain: ({ caller }) => valueOf(caller, claim) }),
});

/** Of a value that is no header's, nothing: a caller's name must not become two headers, and half an identity is somebody else's. */
function valueOf(caller: Caller | undefined, claim: string): Secret | undefined {
  const value = caller && claimOf(caller, claim);
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  return isHeaderValue(text) && Buffer.byteLength(text) <= maxValueBytes ? new Secret(text) : undefined;
}

/** Email is the one that access rules go by: an unverified one is anybody's. */
function claimOf({ subject, email, name, kind, claims }: Caller, claim: string): unknown {
  if (claim === 'sub') return subject;
  if (claim === 'email') return email;
  if (claim === 'name') return kind === 'anonymous' ? undefined : name;
  return claims && Object.hasOwn(claims, claim) ? claims[claim] : undefined;
}
