import type { AccessToken, ConnectingServer, RefusedToken, TokenSource } from '@gatehouse/access-tokens';
import type { Caller } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import type { Secret } from '@gatehouse/sealing';

/** What a subject token is made out by. */
export interface SubjectContext {
  readonly server?: ConnectingServer | undefined;
  readonly caller?: Caller | undefined;
  readonly callerToken?: CallerToken | undefined;
  readonly tokens?: TokenSource | undefined;
  readonly refused?: RefusedToken | undefined;
}

/** The token that the caller came with: verified by the server's own JWT validation, and never one of the gateway's (D2, docs/rules.md). */
export interface CallerToken {
  readonly value: Secret;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** Of its text, where it is known. */
  readonly digest?: string | undefined;
}

export type SubjectKind = 'caller-token' | 'identity-provider-token';

/** For people: where it comes from. */
export const subjectNames: Readonly<Record<SubjectKind, string>> = { 'caller-token': 'the caller’s token', 'identity-provider-token': 'the token of the caller’s identity provider' };

/**
 * The token that says who the caller is to somebody else, or nothing where this caller has none. People show the gateway a token of the
 * gateway's own, which never leaves it; the one of their login stands for them. Whoever came with a token of another issuer has that one.
 * @throws ConnectError, GatewayError
 */
export function subjectTokenOf(kind: SubjectKind | undefined, login: 'access-token' | 'id-token', { server, caller, callerToken, tokens, refused }: SubjectContext): AccessToken | Promise<AccessToken> | undefined {
  if ((kind ?? defaultKind(caller)) === 'caller-token') return callerToken && { ...callerToken, subjects: [] };
  if (caller?.kind !== 'person' || caller.subject === undefined) return undefined;
  if (server === undefined || tokens === undefined) throw new GatewayError('credential_unavailable', { detail: 'no token can be fetched from here' });
  return tokens.ofLogin(server, { person: caller.subject, grant: caller.credential }, login, refused);
}

const defaultKind = (caller: Caller | undefined): SubjectKind => (caller?.kind === 'person' ? 'identity-provider-token' : 'caller-token');

/** @throws GatewayError subject_token_missing */
export function missingSubject(kind: SubjectKind | undefined, caller: Caller | undefined): never {
  throw new GatewayError('subject_token_missing', { detail: `a caller of kind ${caller?.kind ?? 'nobody'} has no ${kind ?? defaultKind(caller)}` });
}
