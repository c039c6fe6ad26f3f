import type { ForwardedCall } from '../pipeline/forwarded-call.ts';
import type { UpstreamResponse } from '../pipeline/request.ts';
import type { BridgeContext, Dispatch } from './bridge-context.ts';
import type { PeerSeals } from './relay/peer-seals.ts';
import { relayToHolder } from './relay/relay-to-holder.ts';
import { takeFromPath } from './session-address.ts';
import { serveSse } from './sse-to-streamable/serve-sse.ts';
import { serveStreamable } from './streamable-to-sse/serve-streamable.ts';

export interface ForwardContext extends BridgeContext {
  /** To other data planes: the only connections that no address guard looks at, as they only go where a data plane said it is. */
  readonly dispatchToPeer: Dispatch;
  readonly peerSeals: PeerSeals;
}

/**
 * Sends a call where it belongs: to the upstream, or where caller and upstream speak different transports, over a bridge. The
 * bridge of a session is in the process that opened it.
 * @throws GatewayError as `Gateway.forward` says
 */
export function forwardCall(context: ForwardContext, forwarded: ForwardedCall): Promise<UpstreamResponse> {
  const { route, upstream, call, outgoing, request } = forwarded;
  const speaksStreamable = route.endpoint === 'mcp';
  // An API has no transport of MCP's that could be another than the caller's.
  if (upstream.transport === 'http' || speaksStreamable === (upstream.transport === 'streamable-http')) {
    // A stream that listens holds its connection for hours: it must not be one of those that calls wait for.
    return (outgoing.listens ? context.dispatchStream : context.dispatch)(upstream, outgoing, request);
  }

  const name = sessionNameOf(forwarded);
  const address = name === undefined ? undefined : context.addresses.open(call.owner, name);
  if (address !== undefined && !context.addresses.isHere(address)) return relayToHolder(context.dispatchToPeer, context.peerSeals, address.peerUrl, forwarded);
  return speaksStreamable ? serveStreamable(context, forwarded, address) : serveSse(context, forwarded, address);
}

const sessionNameOf = ({ route, call, outgoing }: ForwardedCall): string | undefined =>
  route.endpoint === 'sse-messages' ? takeFromPath(outgoing.path).name : call.upstreamSession;
