import { GatewayError } from '@gatehouse/errors';
import type { SessionOwner } from '@gatehouse/mcp-protocol';
import { type CallerHeaders, directPath, type PreparedServer } from '@gatehouse/upstream-request';
import type { Route } from '../pipeline/match-server.ts';
import type { Call, CallContext } from '../pipeline/read-call.ts';
import type { IncomingRequest, UploadStream } from '../pipeline/request.ts';

/**
 * Reads a request that is passed on to an API as it is: method, path and query, and the body, as far as it has to be here. What
 * fits is held, so that it can be signed and sent again; what does not is passed on as it comes.
 * @throws GatewayError not_found, tool_not_allowed, method_not_allowed, upgrade_not_supported, transfer_coding_not_supported,
 * invalid_path, body_too_large, request_timeout
 */
export async function readDirectCall(request: IncomingRequest, route: Route, headers: CallerHeaders, server: PreparedServer, owner: SessionOwner, context: CallContext): Promise<Call> {
  checkServer(server);
  const { method } = request;
  // Neither has a meaning for a resource behind a gateway (RFC 9110 sections 9.3.6 and 9.3.8): TRACE would show the gateway's own headers.
  if (method === 'TRACE' || method === 'CONNECT') throw new GatewayError('method_not_allowed');
  checkConnection(request.headers);
  const path = directPath(server.upstream, { path: route.path ?? '', search: route.search });
  const body = await bodyOf(request, server, context);
  return {
    method,
    path,
    ...body,
    listens: method === 'GET' && /text\/event-stream/i.test(headers.accept ?? ''),
    // Nothing of MCP, and no session.
    era: 'modern',
    message: undefined,
    owner,
    upstreamSession: undefined,
    connectSession: undefined,
    connectResponse: undefined,
  };
}

function checkServer({ operations, tools }: PreparedServer): void {
  if (operations === undefined) throw new GatewayError('not_found', { publicMessage: 'This server is not of type api: there is nothing behind it that takes plain HTTP. Its MCP endpoint is under /mcp.' });
  // Rules allow operations by the names that they have as tools. Which of them a path is, nobody can say for sure.
  if (tools !== undefined) throw new GatewayError('tool_not_allowed', { publicMessage: 'This server has rules for its tools (access.tools), and a direct call would go past them: it can be called by its tools only.' });
}

/** @throws GatewayError for what is about the connection and cannot be passed on, nor be left out */
function checkConnection(rows: readonly string[]): void {
  for (let index = 0; index + 1 < rows.length; index += 2) {
    const name = (rows[index] as string).toLowerCase();
    const value = rows[index + 1] as string;
    // A newer HTTP is an offer that may be declined in silence (RFC 9110 section 7.8); whoever asks for another protocol needs it.
    if (name === 'upgrade' && !value.split(',').every((protocol) => newerHttp.test(protocol))) throw new GatewayError('upgrade_not_supported');
    // The parser has taken off the chunks and no more; what is left is not the body (RFC 9112 section 6.1).
    if (name === 'transfer-encoding' && value.toLowerCase() !== 'chunked') throw new GatewayError('transfer_coding_not_supported');
  }
}

const newerHttp = /^\s*(?:h2c|HTTP\/|TLS\/|$)/i;

interface DirectBody {
  readonly body: Buffer | undefined;
  readonly upload?: UploadStream;
}

async function bodyOf(request: IncomingRequest, { appAuth }: PreparedServer, { maxBodyBytes, maxUploadBytes }: CallContext): Promise<DirectBody> {
  const { upload } = request;
  const announced = upload?.announcedBytes;
  if (announced === 0) return { body: undefined };
  const isSigned = appAuth.signsBody === true;
  if (upload === undefined || isSigned || (announced !== undefined && announced <= maxBodyBytes)) {
    if (announced !== undefined && announced > maxBodyBytes) throw tooLarge(maxBodyBytes);
    return { body: await request.readBody(maxBodyBytes).catch((error: unknown) => refuse(error, isSigned, maxBodyBytes)) };
  }
  if (announced !== undefined && announced > maxUploadBytes) throw new GatewayError('body_too_large');
  return { body: undefined, upload: upload.stream(maxUploadBytes) };
}

function refuse(error: unknown, isSigned: boolean, maxBytes: number): never {
  throw isSigned && error instanceof GatewayError && error.code === 'body_too_large' ? tooLarge(maxBytes) : error;
}

const tooLarge = (maxBytes: number): GatewayError =>
  new GatewayError('body_too_large', { publicMessage: `Requests to this server are signed with their body, which has to be here as a whole for it: more than ${maxBytes} bytes are not taken.` });
