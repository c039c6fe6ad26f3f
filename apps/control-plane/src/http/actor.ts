import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** A request that the guard has let in. */
export interface AuthenticatedRequest {
  actor?: string;
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

export const Actor = createParamDecorator((_data: unknown, context: ExecutionContext): ChangeAuthor => {
  const { actor, attempt } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (actor === undefined) throw new TypeError('a route without authentication has no actor');
  return { name: actor, attempt };
});
