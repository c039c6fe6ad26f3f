import type { Duplex } from 'node:stream';
import { type ErrorCode, errorCodes } from '@gatehouse/errors';
import { rpcError, rpcErrorCodes } from '@gatehouse/mcp-protocol';

const clientErrors: Readonly<Record<string, readonly [number, string, ErrorCode]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'headers_too_large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'request_timeout'],
};

/** What the parser refuses never becomes a request; it is answered here, and the connection ends. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex, isAnswering: boolean): void {
  if (isAnswering || !socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const [status, reason, code] = clientErrors[error.code ?? ''] ?? ([400, 'Bad Request', 'invalid_request'] as const);
  const body = rpcError({ id: null, code: rpcErrorCodes.gatewayError, message: errorCodes[code].message, data: { code } });
  const head = `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}
