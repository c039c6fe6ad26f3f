import type { Caller } from '@gatehouse/agent-auth';
import type { CredentialContext } from '@gatehouse/app-auth';
import { isHeaderValue } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { outboundHeaderSource } from './outbound-header-source.ts';
import { identityClaims } from './signed-identity.ts';

/** The default of D4 (docs/rules.md) for values of callers. */
const maxValueBytes = 8_192;

const schema = z
  .strictObject({
    type: z.literal('caller-identity'),
    claim: z.string().min(1).max(256).optional().meta({ title: 'Claim', description: 'sub, email, name, or any other claim that is text, a number or a boolean.' }),
    signed: z.literal(true).optional().meta({ title: 'Signed', description: 'In place of a claim: all that is known of the caller, as a JWT of one minute. Placed by administrators only.' }),
    audience: z.string().min(1).max(2048).optional().meta({ title: 'Audience', description: 'Of a signed one: whom it is for. The upstream’s origin when absent.' }),
  })
  .superRefine(({ claim, signed, audience }, context) => {
    if (claim === undefined && signed === undefined) context.addIssue({ code: 'custom', path: ['claim'], message: 'is required, or signed: true in its place' });
    if (claim !== undefined && signed !== undefined) context.addIssue({ code: 'custom', path: ['signed'], message: 'must not be given together with claim' });
    if (audience !== undefined && signed === undefined) context.addIssue({ code: 'custom', path: ['audience'], message: 'is of a signed identity only' });
  })
  .meta({ title: 'Caller’s identity' });

export const callerIdentity = outboundHeaderSource({
  type: 'caller-identity',
  title: 'Caller’s identity',
  description: 'What is known of whoever calls: one claim, such as the email address, in plain text, for which the upstream has to trust the gateway’s network; or signed, for whoever verifies it with the gateway’s keys.',
  writable: schema,
  complete: schema,
  readable: schema,
  prepare: ({ claim, audience }) => ({ type: 'caller-identity', credentialKind: 'identity', missing: 'claim_missing', obtain: claim === undefined ? (context) => signedIdentity(context, audience) : ({ caller }) => valueOf(caller, claim) }),
});

/** Too much to be said in a header is not said in part: without a group that they have, somebody may look like one who may more. */
function signedIdentity({ server, caller, identity }: CredentialContext, audience = server?.upstream?.origin): Secret | undefined {
  const claims = audience === undefined ? undefined : identityClaims(caller, { audience, workspace: server?.workspace, name: server?.name });
  if (claims === undefined) return undefined;
  if (identity === undefined) throw new GatewayError('credential_unavailable', { detail: 'there is no key to sign identities with' });
  const token = identity.sign(claims);
  return token.reveal().length <= maxValueBytes ? token : undefined;
}

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
