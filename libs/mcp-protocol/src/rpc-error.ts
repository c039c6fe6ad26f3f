/** The JSON-RPC codes the gateway answers with. -32020 … -32099 are the specification's; of these only what it assigns. */
export const rpcErrorCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  /** For everything that is the gateway's own: `data.code` says which. */
  gatewayError: -32000,
  /** MCP 2026-07-28: a header contradicts the message. */
  headerMismatch: -32020,
  /** MCP 2026-07-28, versioning. */
  unsupportedProtocolVersion: -32022,
  /** MCP 2025-11-25: the person has to open a URL first. */
  urlElicitationRequired: -32042,
} as const;

export type RpcId = string | number | null;

export interface RpcErrorBody {
  readonly id: RpcId;
  readonly code: number;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A JSON-RPC 2.0 error response. */
export function rpcError({ id, code, message, data }: RpcErrorBody): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...(data && { data }) } });
}
