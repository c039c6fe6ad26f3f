import { GatewayError } from '@gatehouse/errors';
import { formatEvent, readEnvelopes, requestIds, rpcError, rpcErrorCodes } from '@gatehouse/mcp-protocol';
import type { ForwardedCall } from '../../pipeline/forwarded-call.ts';
import { MessageError } from '../../pipeline/message-error.ts';
import type { UpstreamResponse } from '../../pipeline/request.ts';
import { eventStream, withoutContent } from '../answers.ts';
import type { BridgeContext } from '../bridge-context.ts';
import { describeFailure } from '../describe-failure.ts';
import { addToPath, type SessionAddress, takeFromPath } from '../session-address.ts';
import { StreamableUpstreamSession } from './streamable-upstream-session.ts';

/**
 * A legacy HTTP+SSE server (MCP 2024-11-05), as the caller sees it, in front of an upstream that speaks Streamable HTTP.
 * @throws GatewayError session_not_found, and as `forward` does
 */
export async function serveSse(context: BridgeContext, forwarded: ForwardedCall, address: SessionAddress | undefined): Promise<UpstreamResponse> {
  const { route, call, outgoing } = forwarded;
  if (route.endpoint === 'sse') return open(context, forwarded);
  const session = address && context.sessions.find(StreamableUpstreamSession, address.id, call.owner);
  if (session === undefined) throw new GatewayError('session_not_found');

  const envelopes = readEnvelopes(call.body?.toString('utf8') ?? '');
  if (envelopes === undefined) throw new MessageError('invalid_request', rpcErrorCodes.invalidRequest, null, 'The body is not a JSON-RPC message.');
  if (call.era === 'legacy') return session.post(envelopes, { ...outgoing, path: takeFromPath(outgoing.path).path });

  // This transport ended before the modern era began: what comes of it here is unknown, as to any server of this transport.
  for (const id of requestIds(envelopes)) session.push(rpcError({ id, code: rpcErrorCodes.methodNotFound, message: 'Method not found' }));
  return withoutContent(202);
}

/** The stream begins with the place to post to: the upstream's own path, with the session in it. */
function open(context: BridgeContext, forwarded: ForwardedCall): UpstreamResponse {
  const { route, upstream, call, request } = forwarded;
  const session = new StreamableUpstreamSession(context, forwarded, describeFailure(context, route));
  context.sessions.add(session, null);
  request.onDisconnect(() => session.stream.abort());
  session.stream.push(formatEvent('endpoint', addToPath(upstream.path, context.addresses.seal(call.owner, session.id))));
  return eventStream(session.stream);
}
