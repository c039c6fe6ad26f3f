import type { Route } from '../pipeline/match-server.ts';
import { renderError } from '../pipeline/render-error.ts';
import type { DescribeFailure } from './bridge-session.ts';

/** The words of `renderError`, for a request whose HTTP answer is out already. */
export function describeFailure(route: Route): DescribeFailure {
  return (error, id) => {
    const { body } = renderError(error, route, id);
    return typeof body === 'string' ? body : '';
  };
}
