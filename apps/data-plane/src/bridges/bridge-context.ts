import type { GatewayError } from '@gatehouse/errors';
import type { RpcId } from '@gatehouse/mcp-protocol';
import type { Logger } from '@gatehouse/service-runtime';
import type { IncomingRequest, UpstreamRequest, UpstreamResponse } from '../pipeline/request.ts';
import type { PreparedUpstream } from '@gatehouse/upstream-request';
import type { BridgeSessions } from './bridge-sessions.ts';
import type { ComposeOwn } from './compose-own-request.ts';
import type { SessionAddresses } from './session-address.ts';

/*
 * A bridge stands where an upstream of the other transport would: the pipeline forwards a request to it and gets an answer,
 * as from any upstream. What is behind it, a stream that stays open between requests, lives in one process: the holder.
 */

/** Sends a request and gives its response once the head is there. */
export type Dispatch = (upstream: PreparedUpstream, outgoing: UpstreamRequest, request: IncomingRequest) => Promise<UpstreamResponse>;

/** What bridges need of the process around them. */
export interface BridgeContext {
  readonly sessions: BridgeSessions;
  readonly dispatch: Dispatch;
  /** On connections of their own: streams that stay open must not use up those of ordinary calls. */
  readonly dispatchStream: Dispatch;
  readonly composeOwn: ComposeOwn;
  readonly addresses: SessionAddresses;
  readonly logger: Logger;
  /** Bytes that wait for one session's caller, and the size of one message, at most. */
  readonly bufferBytes: number;
}

/** The JSON-RPC error that says to a request what went wrong, with the text that every error of the gateway has. */
export type DescribeFailure = (error: GatewayError, id: RpcId) => string;
