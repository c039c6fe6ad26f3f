import { createHash } from 'node:crypto';
import type { Caller } from './caller.ts';
import { emailVerification } from './email-verification.ts';

type Claims = Readonly<Record<string, unknown>>;

/** RFC 7519 section 4.1.2, RFC 9068 section 2.2, OpenID Connect Core section 2: a person, or the client that acts by itself. */
const subjectClaims = ['sub', 'client_id', 'azp'] as const;
const maxNameLength = 200;

/**
 * The caller that a verified token speaks for. `authority` says whose word it is: subjects are unique only there, and a token's
 * own `iss` is its authority only where a server insists on it.
 */
export function callerOfToken(claims: Claims, token: string, authority: readonly string[]): Caller {
  const claim = subjectClaims.find((name) => isFilled(claims[name]));
  const subject = claim === undefined ? ['token', digest(token)] : [claim, claims[claim]];
  // A JSON list of texts reads in one way only, and its hash is short and safe in logs and session ids, whatever is in the claims.
  const id = `token:${digest(JSON.stringify([authority, claims['iss'] ?? null, subject]))}`;
  return { id, kind: 'token', name: claim === undefined ? 'token' : readable(claims[claim] as string), ...whoIs(claims), ...issuerOf(claims, authority), claims };
}

/**
 * What access rules go by. An address that its issuer calls unverified is anybody's. One of which nothing is said counts: the
 * server's document names the issuer, and access tokens rarely say more; the gateway's own have verified ones only.
 */
export function whoIs(claims: Claims): Pick<Caller, 'subject' | 'email' | 'groups'> {
  const { sub, email, groups } = claims;
  return {
    ...(isFilled(sub) && { subject: sub }),
    ...(isFilled(email) && emailVerification(claims) !== 'unverified' && { email }),
    groups: Array.isArray(groups) && groups.every(isFilled) ? groups : [],
  };
}

function issuerOf({ iss }: Claims, [authority]: readonly string[]): Pick<Caller, 'issuer'> {
  return authority === 'issuer' && isFilled(iss) ? { issuer: iss } : {};
}

const isFilled = (value: unknown): value is string => typeof value === 'string' && value !== '';
export const readable = (subject: string): string => subject.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').slice(0, maxNameLength).toWellFormed();
const digest = (text: string): string => createHash('sha256').update(text, 'utf8').digest('base64url');
