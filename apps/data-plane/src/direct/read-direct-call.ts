import { GatewayError } from '@gatehouse/errors';
import type { SessionOwner } from '@gatehouse/mcp-protocol';
import { type CallerHeaders, checkDirectCall, directPath, type PreparedServer } from '@gatehouse/upstream-request';
import type { Route } from '../pipeline/match-server.ts';
import type { Call, CallContext } from '../pipeline/read-call.ts';
import type { IncomingRequest, UploadStream } from '../pipeline/request.ts';

/**
 * Reads a request that is passed on to an API as it is: method, path and query, and the body, as far as it has to be here. What
 * fits is held, so that it can be signed and sent again; what does not is passed on as it comes.
 * @throws GatewayError not_found, tool_not_allowed, method_not_allowed, upgrade_not_supported, transfer_coding_not_supported,
 * origin_not_allowed, invalid_path, body_too_large, request_timeout
 */
export async function readDirectCall(request: IncomingRequest, route: Route, headers: CallerHeaders, server: PreparedServer, owner: SessionOwner, context: CallContext): Promise<Call> {
  const { method } = request;
  checkDirectCall(server, method, request.headers);
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
