import 'reflect-metadata';
import { tokensPath } from '@gatehouse/access-tokens';
import { createLogger, drainServer, type Logger, observeProcess, openTracing, readSettings } from '@gatehouse/service-runtime';
import { type CallEventStream, connectRedisCallEventStream, connectRedisChannel, createMemoryCallEventStream, type SnapshotChannel } from '@gatehouse/snapshot-channel';
import { keepSigningKeys } from './agents-oauth/keep-signing-keys.ts';
import { accessTokenKeys, identityKeys } from './agents-oauth/signing-key-uses.ts';
import { TokenBroker } from './connections/broker/token-broker.service.ts';
import { tokenRoute } from './connections/broker/token-route.ts';
import { createApplication } from './create-application.ts';
import { atStart } from './database/at-start.ts';
import { Database } from './database/database.ts';
import { migrate } from './database/migrate.ts';
import { openDataSource } from './database/open-data-source.ts';
import { waitForDatabase } from './database/wait-for-database.ts';
import { type ControlPlaneSettings, controlPlaneSettings, requireRedis } from './environment.ts';
import { environmentPolicyOf } from './header-policy/environment-policy.ts';
import { seedHeaderPolicy } from './header-policy/seed-header-policy.ts';
import { reachable, startInternalServer } from './health/internal-server.ts';
import { Metrics } from './health/metrics.ts';
import { registerOpenServersGauge } from './health/open-servers-gauge.ts';
import { registerPartMetrics } from './health/part-metrics.ts';
import { Readiness } from './health/readiness.ts';
import { registerStoredStateGauges } from './health/stored-state-gauges.ts';
import { AllowedMethods } from './http/allowed-methods.ts';
import { tracedRoute } from './http/request-spans.ts';
import { serveOpenApi } from './openapi/serve-openapi.ts';
import { openRootKeys } from './vault/root-keys/open-root-keys.ts';
import { startVault } from './vault/start-vault.ts';
import { keepDefaultWorkspace } from './workspaces/keep-default-workspace.ts';

export interface ControlPlaneOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** To the data planes; over Redis when absent. The caller closes it. */
  readonly channel?: SnapshotChannel;
  /** Events of calls, beside a channel that is given. The caller closes it. */
  readonly callEvents?: CallEventStream;
  readonly logger?: Logger;
  /** Whether to bring the database to this release's schema first. */
  readonly migrate?: boolean;
}

export interface ControlPlane {
  /** Of the REST API, as reached from this machine. */
  readonly url: string;
  /** Of health and metrics. */
  readonly internalUrl: string;
  /** Before `close`, where others go on: what is asked is answered, by public and internal URL, until nobody asks here any more. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

type Closing = () => Promise<unknown>;

/** A request gets 30 s for its body; what a provider is asked for is over sooner. */
const drainTimeoutMs = 25_000;
/** Tokens of connections: data planes ask another control plane as soon as they see that this one goes. */
const internalDrainTimeoutMs = 5_000;

/**
 * Starts a control plane and resolves when it serves. A database that is away is waited for.
 * @throws InvalidSettingsError, GatewayError vault_key_wrong, vault_kms_refused, header_policy_not_seeded
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const settings = readSettings(controlPlaneSettings, options.environment);
  const closings: Closing[] = [];
  const close = async (): Promise<void> => {
    for (const closing of closings.splice(0).toReversed()) await closing();
  };
  try {
    return { ...(await start(settings, options, (closing) => closings.push(closing))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(settings: ControlPlaneSettings, options: ControlPlaneOptions, atClose: (closing: Closing) => void): Promise<Omit<ControlPlane, 'close'>> {
  const logger = options.logger ?? createLogger({ level: settings.LOG_LEVEL, role: 'control-plane' });
  if (isBehindUnknownProxy(settings)) logger.warn('the public URL is https and GATEHOUSE_TRUSTED_PROXIES names no proxy: all people have the proxy’s address, and share its limits');
  const readToken = () => readSettings({ VAULT_KMS_TOKEN: controlPlaneSettings.VAULT_KMS_TOKEN }, options.environment).VAULT_KMS_TOKEN;
  const rootKeys = await openRootKeys(settings, readToken);
  atClose(() => rootKeys.close());
  const metrics = new Metrics();
  const endObserving = observeProcess(metrics.registry, 'control-plane');
  atClose(() => Promise.resolve(endObserving()));
  const tracing = openTracing(settings, { role: 'control-plane', registry: metrics.registry, logger });
  atClose(() => tracing.close());
  const readiness = new Readiness();
  const internal = await startInternalServer({
    host: settings.CONTROL_PLANE_INTERNAL_HOST, port: settings.CONTROL_PLANE_INTERNAL_PORT, readiness, registry: metrics.registry,
  });
  atClose(() => internal.close());

  const channel = options.channel ?? connectChannel(settings, logger, atClose);
  const callEvents = options.callEvents ?? (options.channel === undefined ? connectCallEvents(settings, logger, atClose) : createMemoryCallEventStream());
  const dataSource = openDataSource({ url: settings.DATABASE_URL, poolSize: settings.DATABASE_POOL_SIZE, logger });
  atClose(async () => dataSource.isInitialized && dataSource.destroy());
  const waiting = { logger, onWaiting: (reason: string) => readiness.waitingFor(reason) };
  await waitForDatabase(dataSource, {
    migrate: options.migrate ? () => migrate({ environment: options.environment }) : undefined,
    ...waiting,
  });
  const database = new Database(dataSource);
  const vault = await startVault(database, rootKeys, waiting);
  await atStart(() => keepDefaultWorkspace(database), waiting);
  await seedHeaderPolicy(database, environmentPolicyOf(settings), waiting);

  // Before those that ask the database: else it would be they who are found to wait for it.
  registerPartMetrics(metrics.registry, database, vault);
  registerOpenServersGauge(metrics.registry, database.sql);
  registerStoredStateGauges(metrics.registry, database, channel);

  // Before anything is published: no data plane sees an authorization server without a key.
  for (const use of [accessTokenKeys, identityKeys]) await atStart(() => keepSigningKeys(database, vault, use), waiting);

  const parts = { settings, logger, database, vault, channel, callEvents, metrics, tracer: tracing.tracer, allowedMethods: new AllowedMethods() };
  const application = await createApplication(parts);
  internal.serve(tokensPath, undefined);
  atClose(() => application.close());
  serveOpenApi(application, settings.CONTROL_PLANE_URL);
  await application.listen(settings.CONTROL_PLANE_PORT, settings.CONTROL_PLANE_HOST);
  internal.serve(tokensPath, tracedRoute(tracing.tracer, tokensPath, tokenRoute(application.get(TokenBroker), settings.DATA_PLANE_TOKEN, logger)));
  readiness.started(database, channel);
  atClose(() => Promise.resolve(readiness.waitingFor('draining')));
  const { port } = new URL(await application.getUrl());
  const url = `http://${reachable(settings.CONTROL_PLANE_HOST)}:${port || 80}`;
  logger.info({ url, internalUrl: internal.url }, 'control plane ready');
  const drain = async (): Promise<void> => {
    readiness.waitingFor('draining');
    await drainServer(application.getHttpServer(), { timeoutMs: drainTimeoutMs });
    // Health answers until then: a probe sees "draining", not a closed port.
    await internal.drain(internalDrainTimeoutMs);
  };
  return { url, internalUrl: internal.url, drain };
}

/** TLS ends somewhere in front. Who that is has to be said, or it is taken for whoever is behind it. */
const isBehindUnknownProxy = ({ CONTROL_PLANE_URL, TRUSTED_PROXIES }: ControlPlaneSettings): boolean => CONTROL_PLANE_URL.startsWith('https:') && TRUSTED_PROXIES.length === 0;

function connectChannel(settings: ControlPlaneSettings, logger: Logger, atClose: (closing: Closing) => void): SnapshotChannel {
  const channel = connectRedisChannel({
    ...requireRedis(settings),
    onConnectionError: (error) => logger.warn({ err: error }, 'the connection to Redis broke'),
  });
  atClose(() => channel.close());
  return channel;
}

function connectCallEvents(settings: ControlPlaneSettings, logger: Logger, atClose: (closing: Closing) => void): CallEventStream {
  const stream = connectRedisCallEventStream({ ...requireRedis(settings), onConnectionError: (error) => logger.debug({ err: error }, 'the connection to Redis for call events broke') });
  atClose(() => stream.close());
  return stream;
}
