import type { Route } from '../pipeline/match-server.ts';
import { renderError } from '../pipeline/render-error.ts';
import type { BridgeContext, DescribeFailure } from './bridge-context.ts';

/** The words of `renderError`, for a request whose HTTP answer is out already: it is logged here, as its call was logged before. */
export function describeFailure({ logger }: BridgeContext, route: Route): DescribeFailure {
  return (error, id) => {
    logger[error.level]({ workspace: route.workspace, server: route.name, outcome: error.code, err: error }, 'call over a bridge');
    const { body } = renderError(error, route, id);
    return typeof body === 'string' ? body : '';
  };
}
