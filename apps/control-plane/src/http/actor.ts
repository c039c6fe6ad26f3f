import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal } from '../identity/principal.ts';

/** A request that the guard has let in. */
export interface AuthenticatedRequest {
  actor?: string;
  principal?: Principal;
  /** Of a request with an idempotency key, which attempt at it this is. */
  attempt?: string;
}

/** Who asks for a change, as the audit trail names them, and the attempt whose audit event the change leaves behind. */
export interface ChangeAuthor {
  readonly name: string;
  /** Of a person, what they are called. */
  readonly displayName?: string | undefined;
  readonly attempt: string | undefined;
}

const requestOf = (context: ExecutionContext): AuthenticatedRequest => context.switchToHttp().getRequest<AuthenticatedRequest>();

export const Actor = createParamDecorator((_data: unknown, context: ExecutionContext): ChangeAuthor => {
  const { actor, principal, attempt } = requestOf(context);
  if (actor === undefined) throw new TypeError('a route without authentication has no actor');
  return { name: actor, ...(principal?.kind === 'person' && { displayName: principal.person.name }), attempt };
});

/** Who sends a request. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const { principal } = requestOf(context);
  if (principal === undefined) throw new TypeError('a route without authentication has no caller');
  return principal;
});
