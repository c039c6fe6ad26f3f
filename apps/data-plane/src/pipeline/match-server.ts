import { GatewayError } from '@gatehouse/errors';
import { serverKey, type Snapshot } from '../snapshot/current-snapshot.ts';
import type { PreparedServer } from '../snapshot/prepared-server.ts';

/** What a path asks for: an MCP endpoint, or a legacy client's stream and the place it posts messages to. */
export type Endpoint = 'mcp' | 'sse' | 'sse-messages';

export interface Route {
  readonly endpoint: Endpoint;
  readonly workspace: string;
  readonly name: string;
  readonly search: string;
}

/** Reads a request target; names are slugs, so nothing needs decoding and anything else matches nothing. */
export function parseRoute(target: string): Route | undefined {
  const queryAt = target.indexOf('?');
  const path = queryAt < 0 ? target : target.slice(0, queryAt);
  const [empty, endpoint, workspace, name, rest, ...more] = path.split('/');
  if (empty !== '' || !workspace || !name || more.length > 0) return undefined;
  const search = queryAt < 0 ? '' : target.slice(queryAt);
  if (endpoint === 'mcp' && rest === undefined) return { endpoint, workspace, name, search };
  if (endpoint === 'sse' && rest === undefined) return { endpoint, workspace, name, search };
  if (endpoint === 'sse' && rest === 'messages') return { endpoint: 'sse-messages', workspace, name, search };
  return undefined;
}

/** @throws GatewayError server_not_found, server_disabled */
export function matchServer(snapshot: Snapshot, route: Route): PreparedServer {
  const server = snapshot.servers.get(serverKey(route.workspace, route.name));
  if (server === undefined) throw new GatewayError('server_not_found');
  if (!server.enabled) throw new GatewayError('server_disabled');
  return server;
}
