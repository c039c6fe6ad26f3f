import { GatewayError } from '@gatehouse/errors';
import type { RpcId } from '@gatehouse/mcp-protocol';

/** The message cannot be taken, with the JSON-RPC code that says so. */
export class MessageError extends GatewayError {
  readonly rpcCode: number;
  readonly rpcId: RpcId;
  readonly publicDetail: string;

  constructor(code: 'invalid_request' | 'header_mismatch' | 'too_many_sessions', rpcCode: number, rpcId: RpcId, publicDetail: string) {
    super(code, { detail: publicDetail });
    this.rpcCode = rpcCode;
    this.rpcId = rpcId;
    this.publicDetail = publicDetail;
  }
}
