import type { Secret } from '@gatehouse/sealing';

type Claims = Readonly<Record<string, unknown>>;

/** What the gateway knows of the actor before the provider looks at its token. */
export interface KnownActor {
  readonly clientId?: string | undefined;
  readonly token?: Secret | undefined;
}

/**
 * RFC 8693 section 4.4: where a subject token says who may act for its subject, and names somebody else, the provider has to refuse;
 * what it would do is not tried out. Nothing is verified here, and of what cannot be told the provider is the judge.
 */
export function forbidsActor(subject: Secret, actor: KnownActor): boolean {
  const mayAct = claimsOf(subject)?.['may_act'];
  if (!isClaims(mayAct)) return false;
  const { clientId } = actor;
  const known: Claims = { ...(clientId !== undefined && { sub: clientId, client_id: clientId }), ...(actor.token && claimsOf(actor.token)) };
  return identifying.some((claim) => typeof mayAct[claim] === 'string' && typeof known[claim] === 'string' && mayAct[claim] !== known[claim]);
}

const identifying = ['iss', 'sub', 'client_id'] as const;

/** Of a JWT; of any other token nothing is known. */
function claimsOf(token: Secret): Claims | undefined {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token.reveal())?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isClaims(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

const isClaims = (value: unknown): value is Claims => typeof value === 'object' && value !== null && !Array.isArray(value);
