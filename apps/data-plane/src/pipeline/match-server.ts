import type { ResourceForm } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import { serverKey, type Snapshot } from '../snapshot/current-snapshot.ts';
import type { PreparedServer } from '@gatehouse/upstream-request';

/** What a path asks for: an MCP endpoint, or a legacy client's stream and the place it posts messages to. */
export type Endpoint = 'mcp' | 'sse' | 'sse-messages';

export interface Route {
  readonly endpoint: Endpoint;
  readonly workspace: string;
  readonly name: string;
  readonly search: string;
}

/** The form of a server's URL that a client of this endpoint was given. */
export const resourceFormOf = ({ endpoint }: Route): ResourceForm => (endpoint === 'mcp' ? 'mcp' : 'sse');

const shape = /^\/(mcp|sse)\/([^/?]+)\/([^/?]+)(\/messages)?(\?.*)?$/;

/** Reads a request target; names are slugs, so nothing needs decoding and anything else matches nothing. */
export function parseRoute(target: string): Route | undefined {
  const match = shape.exec(target);
  if (match === null) return undefined;
  const [, kind, workspace, name, messages, search = ''] = match as unknown as [string, 'mcp' | 'sse', string, string, string | undefined, string | undefined];
  if (messages === undefined) return { endpoint: kind, workspace, name, search };
  return kind === 'sse' ? { endpoint: 'sse-messages', workspace, name, search } : undefined;
}

/** @throws GatewayError server_not_found, server_disabled */
export function matchServer(snapshot: Snapshot, route: Route): PreparedServer {
  const server = snapshot.servers.get(serverKey(route.workspace, route.name));
  if (server === undefined) throw new GatewayError('server_not_found');
  if (!server.enabled) throw new GatewayError('server_disabled');
  return server;
}
