import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorCode, errorCodes, GatewayError } from '@gatehouse/errors';
import { rpcError, rpcErrorCodes } from '@gatehouse/mcp-protocol';
import { problemOf } from '../pipeline/render-problem.ts';

/** What Node adds where the parser has refused something. */
interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
}

const clientErrors: Readonly<Record<string, readonly [number, string, ErrorCode]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'headers_too_large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'request_timeout'],
};

/** What the parser refuses never becomes a request; it is answered here, and the connection ends. */
export function answerClientError(error: ParserError, socket: Duplex, isAnswering: boolean): void {
  if (isAnswering || !socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const [status, reason, code] = clientErrors[error.code ?? ''] ?? ([400, 'Bad Request', 'invalid_request'] as const);
  // As far as it can be told: what is refused may be anything.
  const isApi = /^[A-Z]+ \/api\//.test(error.rawPacket?.toString('latin1', 0, 64) ?? '');
  const body = isApi ? problemOf(new GatewayError(code), undefined).body : rpcError({ id: null, code: rpcErrorCodes.gatewayError, message: errorCodes[code].message, data: { code } });
  end(socket, `${status} ${reason}`, isApi ? 'application/problem+json' : 'application/json', body);
}

/** CONNECT asks for a tunnel (RFC 9110 section 9.3.6), which there is none of. */
export function refuseTunnel(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => undefined);
  end(socket, '405 Method Not Allowed', 'application/problem+json', problemOf(new GatewayError('method_not_allowed'), undefined).body);
}

function end(socket: Duplex, status: string, type: string, body: string): void {
  const head = `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}
