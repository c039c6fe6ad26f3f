import { rpcError, rpcErrorCodes, rpcResult, type RpcId } from '@gatehouse/mcp-protocol';
import type { Reply } from '../pipeline/request.ts';

/* What a virtual server answers itself. */

export function jsonReply(body: string, status = 200, more: readonly string[] = []): Reply {
  return { status, headers: ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(body)), ...more], body };
}

export const taken: () => Reply = () => ({ status: 202, headers: ['content-length', '0'], body: undefined });

export const emptyResult = (id: RpcId, isModern: boolean): Reply => jsonReply(rpcResult(id, isModern ? { resultType: 'complete' } : {}));

/** 404 is how the modern era says it over HTTP (MCP 2026-07-28, transports). */
export const unknownMethod = (id: RpcId, isModern: boolean): Reply => jsonReply(rpcError({ id, code: rpcErrorCodes.methodNotFound, message: 'Method not found' }), isModern ? 404 : 200);

export const invalidParams = (id: RpcId, message: string): Reply => jsonReply(rpcError({ id, code: rpcErrorCodes.invalidParams, message }));
