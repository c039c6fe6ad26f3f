import { GatewayError } from '@gatehouse/errors';
import { type CallFacts, type CallerHeaders, checkDirectCall, directHeaders, directPath, type PreparedServer } from '@gatehouse/upstream-request';
import type { GlobalHeaderPolicy } from '@gatehouse/gateway-config';
import type { GivenRequest } from './given-request.ts';

/** A direct call of an API, as far as it decides what leaves. */
export interface DirectCall extends CallFacts {
  /** Path and query at the upstream. */
  readonly path: string;
}

const shape = /^\/api\/[^/?]+\/[^/?]+(\/[^?]*)?(\?.*)?$/s;

/** Whether it is a request for the API behind a server, and not for its tools. */
export const isDirect = ({ operations }: Pick<PreparedServer, 'operations'>, { path }: GivenRequest): boolean => path?.startsWith('/api/') === true || (operations !== undefined && path === undefined);

/**
 * Reads it as a data plane does.
 * @throws GatewayError server_disabled, not_found, invalid_path, and as `checkDirectCall` does
 */
export function readDirectCall(server: PreparedServer, headerPolicy: GlobalHeaderPolicy, { method, path = '', rows, body }: GivenRequest, headers: CallerHeaders): DirectCall {
  if (!server.enabled) throw new GatewayError('server_disabled');
  checkDirectCall(server, method, rows);
  const [, below = '', search = ''] = shape.exec(path) ?? [];
  return {
    method,
    path: directPath(server.upstream, { path: below, search }),
    era: 'modern',
    body,
    upstreamSession: undefined,
    ownHeaders: directHeaders(rows, headers.nominated, server.headerRules.under(headerPolicy)),
  };
}
