import { performance } from 'node:perf_hooks';
import type { SharedBuckets } from '@gatehouse/call-limits';
import { GatewayError } from '@gatehouse/errors';
import { SealedSessions } from '@gatehouse/mcp-protocol';
import { keyRingOf } from '@gatehouse/sealing';
import type { Logger, OpenTracing } from '@gatehouse/service-runtime';
import type { Registry } from 'prom-client';
import type { BridgeSessions } from './bridges/bridge-sessions.ts';
import { composeOwnRequest } from './bridges/compose-own-request.ts';
import { type ForwardContext, forwardCall } from './bridges/forward-call.ts';
import type { PeerSeals } from './bridges/relay/peer-seals.ts';
import { SessionAddresses } from './bridges/session-address.ts';
import type { CallEventBuffer } from './call-events/call-event-buffer.ts';
import type { DataPlaneSettings } from './data-plane.ts';
import type { OpenKeySets } from './key-sets.ts';
import { openCallLimits } from './limits/call-limits.ts';
import { observeStages } from './metrics/observe-stages.ts';
import { observeCalls } from './observe-calls.ts';
import type { OpenTokens } from './open-tokens.ts';
import type { OpenTransports } from './open-transports.ts';
import type { Connecting } from './pipeline/connect/connecting.ts';
import { PendingConnections } from './pipeline/connect/pending-connections.ts';
import { UpstreamSessions } from './pipeline/connect/upstream-sessions.ts';
import type { Gateway } from './pipeline/gateway.ts';
import { type Snapshot, serverKey } from './snapshot/current-snapshot.ts';
import type { KeepAliveComments } from './transport/keep-alive-comments.ts';
import { KnownNames } from './virtual/known-names.ts';
import { MemberSessions } from './virtual/member-sessions.ts';

/** The parts of a data plane that its pipeline uses. */
export interface GatewayParts {
  readonly settings: DataPlaneSettings;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Absent before there is one. */
  readonly snapshot: () => Snapshot | undefined;
  readonly buckets: SharedBuckets;
  readonly callEvents: CallEventBuffer | undefined;
  readonly tracing: OpenTracing;
  readonly keySets: OpenKeySets;
  readonly tokens: OpenTokens;
  readonly transports: OpenTransports;
  readonly comments: KeepAliveComments;
  readonly bridgeSessions: BridgeSessions;
  readonly peerSeals: PeerSeals;
  /** Where other data planes reach this one. */
  readonly peerUrl: () => string;
  /** Told of every request whose answer is known. */
  readonly onAnswered: () => void;
}

/** A link is good for ten minutes, the way to the provider and back that begins with it for ten more; and then the call is sent again. */
const requestStateLifeMs = 1_500_000;

const now = (): number => performance.now();

/** What the pipeline has around it, put together once. */
export function openGateway(parts: GatewayParts): Gateway {
  const { settings, logger, registry, buckets, tracing, keySets, tokens, comments, onAnswered } = parts;
  const publicUrl = new URL(settings.DATA_PLANE_URL);
  const publicPath = publicUrl.pathname.replace(/\/$/, '');
  const sessions = new SealedSessions(keyRingOf(settings.SNAPSHOT_KEY, 'session'), settings.SESSION_TTL_SECONDS * 1000);
  const connecting: Connecting = {
    pending: new PendingConnections(),
    upstreamSessions: new UpstreamSessions(),
    requestStates: new SealedSessions(keyRingOf(settings.SNAPSHOT_KEY, 'session'), requestStateLifeMs),
  };
  const isConfigured = (workspace: string, server: string): boolean => parts.snapshot()?.servers.get(serverKey(workspace, server)) !== undefined;
  const observe = observeCalls(logger, registry, now, isConfigured, parts.callEvents);
  const forwarding = forwardingOf(parts, sessions, (session, own) => composeOwnRequest(gateway, session, own));
  const gateway: Gateway = {
    snapshot: () => {
      const snapshot = parts.snapshot();
      if (snapshot === undefined) throw new GatewayError('not_ready');
      return snapshot;
    },
    limits: { headers: { maxBytes: settings.MAX_HEADER_BYTES, maxCount: settings.MAX_HEADER_COUNT }, filteredBytes: settings.MAX_FILTERED_BYTES },
    callLimits: openCallLimits({ settings, buckets, registry, logger, now, isConfigured }),
    originRules: {
      allowedOrigins: new Set([publicUrl.origin, ...settings.ALLOWED_ORIGINS]),
      allowedHosts: settings.ALLOWED_HOSTS.length > 0 ? new Set(settings.ALLOWED_HOSTS.map((host) => host.toLowerCase())) : undefined,
    },
    authentication: { keySets: keySets.keySets, publicUrl: publicUrl.origin + publicPath, now: Date.now },
    connecting,
    callContext: { sessions, requestStates: connecting.requestStates, upstreamSessions: connecting.upstreamSessions, maxBodyBytes: settings.MAX_BODY_BYTES, maxUploadBytes: settings.MAX_UPLOAD_BYTES },
    shapeContext: { sessions, eventStream: (body) => comments.wrap(body) },
    tokens: tokens.tokens,
    virtual: { sessions: new MemberSessions(), names: new KnownNames(Date.now) },
    timeouts: { responseMs: settings.RESPONSE_TIMEOUT_MS, streamIdleMs: settings.STREAM_IDLE_TIMEOUT_MS },
    publicPath,
    forward: async (forwarded, record) => {
      const response = await forwardCall(forwarding, forwarded);
      record.upstreamStatus = response.status;
      record.upstreamMs = now() - record.startedAt;
      record.stages?.passed('upstream');
      return response;
    },
    record: (record) => {
      onAnswered();
      observe(record);
      record.trace?.finish(record);
    },
    stages: observeStages(registry, now),
    tracer: tracing.tracer,
    now,
  };
  return gateway;
}

function forwardingOf({ settings, logger, transports, bridgeSessions, peerSeals, peerUrl }: GatewayParts, sessions: SealedSessions, composeOwn: ForwardContext['composeOwn']): ForwardContext {
  return {
    sessions: bridgeSessions,
    dispatch: transports.calls.dispatch,
    dispatchStream: transports.streams.dispatch,
    composeOwn,
    dispatchToPeer: transports.peers.dispatchOnce,
    peerSeals,
    logger,
    addresses: new SessionAddresses(sessions, peerUrl),
    bufferBytes: settings.BRIDGE_BUFFER_BYTES,
  };
}
