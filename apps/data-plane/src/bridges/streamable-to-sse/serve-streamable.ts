import { GatewayError, toGatewayError } from '@gatehouse/errors';
import { readEnvelopes, requestIds, rpcErrorCodes, type RpcEnvelope } from '@gatehouse/mcp-protocol';
import type { ForwardedCall } from '../../pipeline/forwarded-call.ts';
import { MessageError } from '../../pipeline/message-error.ts';
import type { UpstreamResponse } from '../../pipeline/request.ts';
import { eventStream, isAccepted, withoutContent } from '../answers.ts';
import type { BridgeContext } from '../bridge-context.ts';
import { describeFailure } from '../describe-failure.ts';
import type { SessionAddress } from '../session-address.ts';
import { SseUpstreamSession } from './sse-upstream-session.ts';

/**
 * A Streamable HTTP server, as the caller sees it, in front of an upstream that speaks HTTP+SSE.
 * @throws GatewayError session_required, session_not_found, and as `forward` does
 */
export async function serveStreamable(context: BridgeContext, forwarded: ForwardedCall, address: SessionAddress | undefined): Promise<UpstreamResponse> {
  const { call, request } = forwarded;
  // Servers of the legacy era say to a modern message that they want a session; clients take that for what it means.
  if (call.era === 'modern') throw new GatewayError('session_required');
  if (call.upstreamSession === undefined) {
    if (call.message?.method !== 'initialize') throw new GatewayError('session_required');
    return initialize(context, forwarded);
  }
  const session = address && context.sessions.find(SseUpstreamSession, address.id, call.owner);
  if (session === undefined) throw new GatewayError('session_not_found');
  switch (call.method) {
    case 'POST':
      return post(session, forwarded);
    case 'GET': {
      const stream = session.streams.openListener();
      request.onDisconnect(() => stream.abort());
      return eventStream(stream);
    }
    case 'DELETE':
      void session.close();
      return withoutContent(200);
    default:
      throw new GatewayError('method_not_allowed');
  }
}

async function initialize(context: BridgeContext, forwarded: ForwardedCall): Promise<UpstreamResponse> {
  const { route, call, request, outgoing } = forwarded;
  const session = new SseUpstreamSession(context, forwarded, describeFailure(context, route));
  context.sessions.add(session, call.message?.id ?? null);
  // A caller that goes away now never learns of the session.
  request.onDisconnect(() => void session.close());
  try {
    const response = (await session.open(outgoing)) ?? (await post(session, forwarded));
    if (!isAccepted(response)) void session.close();
    const sessionId = context.addresses.seal(call.owner, session.id);
    return { ...response, headers: { ...response.headers, 'mcp-session-id': isAccepted(response) ? sessionId : undefined } };
  } catch (error) {
    session.end(toGatewayError(error));
    throw error;
  }
}

/** A request is answered by a stream that its answer comes on; anything else is only taken. */
async function post(session: SseUpstreamSession, { call, request, outgoing }: ForwardedCall): Promise<UpstreamResponse> {
  const envelopes = envelopesOf(call.body);
  const requests = envelopes.filter((envelope) => envelope.kind === 'request');
  if (requests.length === 0) {
    const refusal = await session.send(outgoing);
    if (refusal === undefined) session.streams.forget(cancelledIds(envelopes));
    return refusal ?? withoutContent(202);
  }
  // Waiting begins before the message leaves: the answer may be there before the upstream says that it took the message.
  const stream = session.streams.openPost(requests, outgoing.responseTimeoutMs);
  request.onDisconnect(() => stream.abort());
  try {
    const refusal = await session.send(outgoing);
    if (refusal === undefined) return eventStream(stream);
    session.streams.forget(requestIds(envelopes));
    return refusal;
  } catch (error) {
    session.streams.forget(requestIds(envelopes));
    throw error;
  }
}

function envelopesOf(body: Buffer | undefined): readonly RpcEnvelope[] {
  const envelopes = readEnvelopes(body?.toString('utf8') ?? '');
  if (envelopes === undefined) throw new MessageError('invalid_request', rpcErrorCodes.invalidRequest, null, 'The body is not a JSON-RPC message.');
  return envelopes;
}

/** What was cancelled is not answered any more (MCP 2025-11-25, cancellation). */
const cancelledIds = (envelopes: readonly RpcEnvelope[]): (string | number)[] =>
  envelopes.flatMap((envelope) => (envelope.kind === 'notification' && envelope.cancels !== null ? [envelope.cancels] : []));
