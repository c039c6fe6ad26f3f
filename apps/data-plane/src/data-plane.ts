import { once } from 'node:events';
import { type AddressInfo, isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { createMemorySharedBuckets } from '@gatehouse/call-limits';
import { createAddressGuard } from '@gatehouse/egress';
import { snapshotKeysOf } from '@gatehouse/gateway-config';
import { keyRingOf } from '@gatehouse/sealing';
import { drainServer, type Logger, observeProcess, type OpenTracing, openTracing, type SettingValues } from '@gatehouse/service-runtime';
import type { CallEventStream, ChannelEvent, SnapshotChannel } from '@gatehouse/snapshot-channel';
import { Registry } from 'prom-client';
import { BridgeSessions } from './bridges/bridge-sessions.ts';
import { answerRelay, isRelay } from './bridges/relay/answer-relay.ts';
import { PeerListener } from './bridges/relay/peer-listener.ts';
import { PeerSeals } from './bridges/relay/peer-seals.ts';
import { CallEventBuffer } from './call-events/call-event-buffer.ts';
import type { dataPlaneSettings } from './environment.ts';
import { answerMetadata } from './metadata/answer-metadata.ts';
import { observeAnswers } from './metrics/observe-answers.ts';
import { observeCaches } from './metrics/observe-caches.ts';
import { observeConnections } from './metrics/observe-connections.ts';
import { observeDependencies } from './metrics/observe-dependencies.ts';
import { addDataPlaneGauges } from './observe-data-plane.ts';
import type { Admission } from './pipeline/admission.ts';
import type { Gateway } from './pipeline/gateway.ts';
import { handleRequest } from './pipeline/handle-request.ts';
import type { IncomingRequest, Reply } from './pipeline/request.ts';
import { SnapshotFollower } from './snapshot/follow-snapshots.ts';
import { Heartbeats } from './heartbeats.ts';
import { openKeySets, type OpenKeySets } from './key-sets.ts';
import { openGateway } from './open-gateway.ts';
import { openTokens, type OpenTokens } from './open-tokens.ts';
import { openTransports, type OpenTransports } from './open-transports.ts';
import { NewRevocations } from './snapshot/new-revocations.ts';
import { SnapshotKeeper } from './snapshot/snapshot-keeper.ts';
import { stillAdmitted } from './snapshot/still-admitted.ts';
import { KeepAliveComments } from './transport/keep-alive-comments.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from './transport/serve-http.ts';

export type DataPlaneSettings = SettingValues<typeof dataPlaneSettings>;

export interface Readiness {
  readonly ready: boolean;
  readonly draining: boolean;
  readonly degraded: boolean;
  readonly revision: number | undefined;
}

/** For what is drained last, when what went before has taken all the time. */
const leastDrainMs = 500;

/** One data plane: its parts, put together once, and its life from start to drained. */
export class DataPlane {
  readonly registry = new Registry();
  readonly #settings: DataPlaneSettings;
  readonly #follower: SnapshotFollower;
  readonly #keeper: SnapshotKeeper;
  readonly #transports: OpenTransports;
  readonly #bridgeSessions: BridgeSessions;
  readonly #peerSeals: PeerSeals;
  readonly #keySets: OpenKeySets;
  readonly #tokens: OpenTokens;
  readonly #revocations = new NewRevocations();
  readonly #comments: KeepAliveComments;
  readonly #gateway: Gateway;
  readonly #serving: HttpServerOptions;
  readonly #http: HttpServer;
  readonly #heartbeat: Heartbeats;
  readonly #callEvents: CallEventBuffer | undefined;
  readonly #tracing: OpenTracing;
  #peerUrl = '';
  #peerListener: PeerListener | undefined;
  #draining = false;
  #drainedUntil = 0;
  readonly #endObserving: () => void;
  #requestsInFlight = 0;
  #isStopped = false;

  /**
   * @param callEvents where events of calls go; absent, none are kept
   * @param sharedBuckets of limits that all data planes share; absent, those are all in this process
   */
  constructor(settings: DataPlaneSettings, channel: SnapshotChannel, logger: Logger, callEvents?: CallEventStream, sharedBuckets = createMemorySharedBuckets(() => performance.now())) {
    this.#settings = settings;
    const keys = snapshotKeysOf(settings.SNAPSHOT_KEY);
    this.#keeper = new SnapshotKeeper({ directory: settings.SNAPSHOT_DIR, keys, logger, current: () => this.#follower.current });
    this.#follower = new SnapshotFollower({ channel, keys, pollMs: settings.SNAPSHOT_POLL_SECONDS * 1000, logger, onApplied: (afterOutage) => this.#onApplied(afterOutage), onEvent: ({ connected }) => this.#onConnected(connected) });
    const id = settings.DATA_PLANE_ID ?? `${hostname()}-${process.pid}`;
    this.#callEvents = callEvents && new CallEventBuffer({ stream: callEvents, dataPlane: id, registry: this.registry, logger });
    this.#heartbeat = new Heartbeats({
      channel,
      id,
      intervalMs: settings.SNAPSHOT_POLL_SECONDS * 1000,
      status: () => this.#follower.status,
      isDraining: () => this.#draining,
    });
    this.#tracing = openTracing(settings, { role: 'data-plane', registry: this.registry, logger });
    const guard = createAddressGuard({ allowedRanges: settings.EGRESS_ALLOWED_RANGES });
    const observeDependency = observeDependencies(this.registry);
    this.#keySets = openKeySets(guard, logger, observeDependency);
    this.#tokens = openTokens(settings, guard, observeDependency);
    this.#transports = openTransports(settings, guard, logger);
    const bridgeLimits = {
      max: settings.BRIDGE_MAX_SESSIONS,
      maxPerOwner: settings.BRIDGE_MAX_SESSIONS_PER_CALLER,
      idleMs: settings.SESSION_TTL_SECONDS * 1000,
    };
    this.#bridgeSessions = new BridgeSessions(bridgeLimits, ({ admission }) => this.#isAdmitted(admission));
    this.#peerSeals = new PeerSeals(keyRingOf(settings.SNAPSHOT_KEY, 'peer-relay'), () => this.#peerUrl);
    this.#comments = new KeepAliveComments(settings.KEEP_ALIVE_COMMENT_MS);
    this.#gateway = openGateway({
      settings,
      logger,
      registry: this.registry,
      snapshot: () => this.#follower.current,
      buckets: sharedBuckets,
      callEvents: this.#callEvents,
      tracing: this.#tracing,
      keySets: this.#keySets,
      tokens: this.#tokens,
      transports: this.#transports,
      comments: this.#comments,
      bridgeSessions: this.#bridgeSessions,
      peerSeals: this.#peerSeals,
      peerUrl: () => this.#peerUrl,
      onAnswered: () => void (this.#requestsInFlight -= 1),
    });
    const handle = (request: IncomingRequest): Promise<Reply> => {
      const metadata = answerMetadata(this.#gateway, request);
      if (metadata !== undefined) return Promise.resolve(metadata);
      this.#requestsInFlight += 1;
      return handleRequest(this.#gateway, request);
    };
    this.#serving = {
      maxHeaderBytes: settings.MAX_HEADER_BYTES,
      stalledTimeoutMs: settings.STREAM_IDLE_TIMEOUT_MS,
      handle: (request) => (isRelay(request) ? answerRelay(this.#peerSeals, request, handle) : handle(request)),
      // Not before nobody can connect any more: who is told to would only connect here again.
      isDraining: () => this.#draining && !this.#http.server.listening,
      isAdmitted: (admission) => this.#isAdmitted(admission),
      observe: observeAnswers(this.registry, () => performance.now()),
    };
    this.#http = createHttpServer(this.#serving);
    addDataPlaneGauges(this.registry, {
      status: () => this.#follower.status,
      diskFailures: () => this.#keeper.failures,
      bridgeSessions: () => this.#bridgeSessions.size,
      upstreamPools: () => this.#transports.calls.poolCount + this.#transports.streams.poolCount,
      openCircuits: () => this.#transports.circuits.openCount,
      openStreams: () => this.#comments.size,
      requestsInFlight: () => this.#requestsInFlight,
    });
    const { calls, streams, peers } = this.#transports;
    const transports = { calls, streams, peers };
    observeConnections(this.registry, { ...transports, ...this.#tokens.pools, key_sets: this.#keySets.pools }, transports);
    observeCaches(this.registry, this.#tokens.tokens);
    this.#endObserving = observeProcess(this.registry, 'data-plane');
  }

  /**
   * Serves from disk at once where it can, and from the channel as soon as it answers.
   * @param peerPort where other data planes reach it, if that is another than its public port, which others answer too; 0 = a free one
   * @returns the URL it listens at
   */
  async start(peerPort?: number): Promise<string> {
    const kept = await this.#keeper.load();
    if (kept) this.#follower.restore(kept);
    await this.#follower.start();
    const { DATA_PLANE_HOST: host, DATA_PLANE_PORT: port } = this.#settings;
    const { server } = this.#http;
    server.listen(port, host);
    await once(server, 'listening');
    this.#heartbeat.beat();
    const { port: actualPort } = server.address() as AddressInfo;
    const isAnyHost = host === '0.0.0.0' || host === '::';
    const ownHost = isIPv6(host) ? `[${host}]` : host;
    this.#peerUrl = this.#settings.DATA_PLANE_PEER_URL ?? `http://${isAnyHost ? hostname() : ownHost}:${actualPort}`;
    if (peerPort !== undefined) {
      this.#peerListener = new PeerListener({ ...this.#serving, host, port: peerPort });
      this.#peerUrl = Object.assign(new URL(this.#peerUrl), { protocol: 'http:', port: await this.#peerListener.listen() }).href;
    }
    return `http://${isAnyHost ? '127.0.0.1' : ownHost}:${actualPort}`;
  }

  /** Unready at once, and nobody's request is broken off: what `stop` does, with time for whoever still uses a connection to notice. */
  async drain(): Promise<void> {
    this.#beginDraining();
    const timeoutMs = this.#drainingMsLeft();
    await drainServer(this.#http.server, { timeoutMs, onClosed: () => this.#http.streams.endListening(timeoutMs / 2) });
  }

  /** Unready at once; requests in flight finish, as long as the drain timeout lets them; then everything is closed. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#beginDraining();
    const { server } = this.#http;
    // Also of one that never listened: closing says so in an error, which is as good.
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    this.#http.streams.endListening();
    const timer = setTimeout(() => server.closeAllConnections(), this.#drainingMsLeft());
    // A connection that becomes idle while draining has nothing more to wait for.
    const sweep = setInterval(() => server.closeIdleConnections(), 100);
    await closed;
    clearTimeout(timer);
    clearInterval(sweep);
    await this.#peerListener?.close(this.#drainingMsLeft());
    this.#heartbeat.stop();
    await this.#bridgeSessions.closeAll();
    await this.#callEvents?.stop();
    await this.#tracing.close();
    await this.#follower.stop();
    await this.#keeper.flush();
    this.#comments.stop();
    this.#endObserving();
    await this.#keySets.close();
    await this.#tokens.close();
    await this.#transports.close();
  }

  readiness(): Readiness {
    const { snapshot, degraded } = this.#follower.status;
    return { ready: snapshot !== undefined && !this.#draining, draining: this.#draining, degraded, revision: snapshot?.state.revision };
  }

  async metrics(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.registry.contentType, text: await this.registry.metrics() };
  }

  describeSnapshot(): object {
    const { snapshot, source, appliedAt, rejects } = this.#follower.status;
    return {
      revision: snapshot?.state.revision,
      revisionOnDisk: this.#keeper.writtenRevision,
      hash: snapshot?.hash,
      documents: snapshot?.documents.size,
      source,
      ageSeconds: appliedAt === undefined ? undefined : Math.round((Date.now() - appliedAt) / 1000),
      rejects,
    };
  }

  #beginDraining(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#drainedUntil = performance.now() + this.#settings.DRAIN_TIMEOUT_MS;
    this.#heartbeat.beat();
  }

  /** Of the one timeout for all that is drained, one after the other. */
  #drainingMsLeft(): number {
    return Math.max(leastDrainMs, this.#drainedUntil - performance.now());
  }

  #onApplied(afterOutage: boolean): void {
    const snapshot = this.#follower.current;
    // Before anything else: a call that comes now finds no token of a connection that is gone, and a stream is found to run on one.
    if (snapshot !== undefined) this.#tokens.tokens.forget(this.#revocations.in(snapshot), afterOutage);
    this.#keeper.schedule();
    this.#heartbeat.beat();
    this.#http.streams.endUnadmitted();
    // A grant is named as revoked for as long as its tokens live: through an outage that may have been missed.
    if (afterOutage) this.#http.streams.endExpired(Date.now());
    this.#bridgeSessions.sweep();
  }

  #onConnected(connected: ChannelEvent['connected']): void {
    // Before anyone who waited for it asks again.
    this.#tokens.tokens.connected(connected.owner);
    this.#gateway.connecting.pending.connected(connected);
  }

  #isAdmitted(admission: Admission): boolean {
    const snapshot = this.#follower.current;
    if (admission.grounds?.some((grounds) => this.#tokens.tokens.isWithdrawn(grounds))) return false;
    if (admission.members?.some((member) => !this.#isAdmitted(member)) === true) return false;
    // No snapshot is not an empty one.
    return snapshot === undefined || stillAdmitted(snapshot, admission);
  }
}
