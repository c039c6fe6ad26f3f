import { GatewayError } from '@gatehouse/errors';
import { idPosition, type PageQuery, queryText, readPageQuery } from '../http/page.ts';
import { connectionStates } from './connection.dto.ts';
import type { ConnectionFilter } from './connections.store.ts';

export interface SentQuery {
  readonly limit?: unknown;
  readonly cursor?: unknown;
  readonly app?: unknown;
  readonly state?: unknown;
  readonly user?: unknown;
}

/** @throws GatewayError invalid_request */
export function readConnectionQuery(sent: SentQuery): { page: PageQuery; filter: Pick<ConnectionFilter, 'app' | 'state' | 'user'> } {
  const state = queryText('state', sent.state);
  if (state !== undefined && !(connectionStates as readonly string[]).includes(state)) {
    throw new GatewayError('invalid_request', { problems: [{ pointer: '/state', detail: `must be one of ${connectionStates.join(', ')}`, code: 'invalid_value' }] });
  }
  return { page: readPageQuery(sent.limit, sent.cursor, idPosition), filter: { app: queryText('app', sent.app), state, user: queryText('user', sent.user) } };
}
