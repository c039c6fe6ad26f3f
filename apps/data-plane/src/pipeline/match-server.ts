import type { ResourceForm } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import { serverKey, type Snapshot } from '../snapshot/current-snapshot.ts';
import type { PreparedServer } from '@gatehouse/upstream-request';

/** What a path asks for: an MCP endpoint, a legacy client's stream and the place it posts messages to, or the API behind a server. */
export type Endpoint = 'mcp' | 'sse' | 'sse-messages' | 'api';

export interface Route {
  readonly endpoint: Endpoint;
  readonly workspace: string;
  readonly name: string;
  /** With its question mark; empty where there is none. */
  readonly search: string;
  /** Of `api`: what is asked for below the server, as it came; absent where it is the server itself. */
  readonly path?: string | undefined;
}

/** The form of a server's URL that tokens are for at this endpoint: those for its MCP endpoint are good for the API behind it. */
export const resourceFormOf = ({ endpoint }: Route): ResourceForm => (endpoint === 'mcp' || endpoint === 'api' ? 'mcp' : 'sse');

const shape = /^\/(mcp|sse)\/([^/?]+)\/([^/?]+)(\/messages)?(\?.*)?$/;

const apiShape = /^\/api\/([^/?]*)(?:\/([^/?]*)(\/[^?]*)?)?(\?.*)?$/s;

/** Reads a request target; names are slugs, so nothing needs decoding and anything else matches nothing. */
export function parseRoute(target: string): Route | undefined {
  const match = shape.exec(target);
  if (match === null) return parseApiRoute(target);
  const [, kind, workspace, name, messages, search = ''] = match as unknown as [string, 'mcp' | 'sse', string, string, string | undefined, string | undefined];
  if (messages === undefined) return { endpoint: kind, workspace, name, search };
  return kind === 'sse' ? { endpoint: 'sse-messages', workspace, name, search } : undefined;
}

/** Whatever is below `/api/` is answered as plain HTTP, also where there is no such server. */
function parseApiRoute(target: string): Route | undefined {
  const match = apiShape.exec(target);
  if (match === null) return undefined;
  const [, workspace = '', name = '', path, search = ''] = match;
  return { endpoint: 'api', workspace, name, search, path };
}

/** @throws GatewayError server_not_found, server_disabled */
export function matchServer(snapshot: Snapshot, route: Route): PreparedServer {
  const server = snapshot.servers.get(serverKey(route.workspace, route.name));
  if (server === undefined) throw new GatewayError('server_not_found');
  if (!server.enabled) throw new GatewayError('server_disabled');
  return server;
}
