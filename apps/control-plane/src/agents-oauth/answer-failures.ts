import type { Logger } from '@gatehouse/service-runtime';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { isPassing, unavailableAnswer } from './oauth-unavailable.ts';

/** What fails around the library, which answers for what fails inside of it: in the form that clients read, and never as text. */
export function answerFailures(logger: Logger) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    try {
      await next();
    } catch (error) {
      logger.error({ err: error }, 'the authorization server failed');
      ctx.status = isPassing(error) ? 503 : 500;
      ctx.body = isPassing(error) ? unavailableAnswer : { error: 'server_error', error_description: 'something went wrong; try again' };
      if (ctx.status === 503) ctx.set('Retry-After', '5');
    }
  };
}
