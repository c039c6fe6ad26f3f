import { rpcResult } from './client-of-message.ts';
import { firstModernRevision, negotiatedRevision } from './revisions.ts';
import { rpcError, rpcErrorCodes, type RpcId } from './rpc-error.ts';

/* What the gateway says where it is itself the MCP server. */

export interface ServedServer {
  readonly name: string;
  readonly title: string;
  readonly version: string;
}

/** Nobody hears of a change: there is no stream of such a server's. */
const capabilities = { tools: {} };

/** @param asked the revision that the client names (MCP, lifecycle, version negotiation) */
export const serverInitialized = (id: RpcId, asked: string, serverInfo: ServedServer): string =>
  rpcResult(id, { protocolVersion: negotiatedRevision(asked), capabilities, serverInfo });

export const serverDiscovered = (id: RpcId, serverInfo: ServedServer, ttlMs: number): string =>
  rpcResult(id, { resultType: 'complete', supportedVersions: [firstModernRevision], capabilities, ...cached(ttlMs), _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo } });

/**
 * A page of tools.
 * @param tools a JSON array, as it is
 * @param ttlMs how long a modern client may keep it
 */
export function toolListPage(id: RpcId, tools: string, nextCursor: string | undefined, isModern: boolean, ttlMs: number): string {
  const more = { ...(nextCursor !== undefined && { nextCursor }), ...(isModern && { resultType: 'complete', ...cached(ttlMs) }) };
  const rest = JSON.stringify(more).slice(1);
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"tools":${tools}${rest === '}' ? '' : ','}${rest}}`;
}

/** @param result a CallToolResult */
export const toolCallResult = (id: RpcId, result: object, isModern: boolean): string => rpcResult(id, isModern ? { resultType: 'complete', ...result } : result);

/** MCP 2026-07-28, versioning. */
export const unsupportedRevision = (id: RpcId, requested: string): string =>
  rpcError({ id, code: rpcErrorCodes.unsupportedProtocolVersion, message: `Unsupported protocol version: ${requested}`, data: { supported: [firstModernRevision], requested } });

/** Who may see a server's tools is the gateway's to say, with each request: no cache may show them to others (MCP 2026-07-28, caching). */
const cached = (ttlMs: number): object => ({ ttlMs, cacheScope: 'private' });
