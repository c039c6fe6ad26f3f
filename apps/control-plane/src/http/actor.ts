import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** A request that the guard has let in. */
export interface AuthenticatedRequest {
  actor?: string;
}

/** Who asks, as the audit trail names them. */
export const Actor = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const { actor } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (actor === undefined) throw new TypeError('a route without authentication has no actor');
  return actor;
});
