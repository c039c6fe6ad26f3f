import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Secret } from '@gatehouse/sealing';
import { Cluster, Redis, type RedisOptions as AnyRedisOptions } from 'ioredis';
import { anyNode, BoundedCluster, commandTimeoutMs } from './cluster-connection.ts';
import { parseRedisUrl, type RedisHost, type RedisPlace } from './redis-url.ts';

/** Where Redis is, and how it is known to be it; out of the settings by `redisAccessOf`. */
export interface RedisAccess {
  /** With its password. */
  readonly url: Secret;
  /** Certificates of the authority that Redis' own is of; the public ones when absent. */
  readonly ca?: Secret | undefined;
  /** A certificate and its private key, for a Redis that asks for them. */
  readonly clientCertificate?: Secret | undefined;
}

/** Replies have their usual form. */
type RedisOptions = Omit<AnyRedisOptions, 'replyMapping'>;

export interface RedisConnectionOptions extends RedisAccess {
  /** Told of every lost connection and failed attempt; the connection goes on trying by itself. */
  readonly onConnectionError?: ((error: Error) => void) | undefined;
}

// Reconnects for ever, soon at first; the jitter keeps many planes from coming back in one instant.
const retryStrategy = (attempt: number): number => Math.min(100 * 2 ** Math.min(attempt, 5), 3_000) * (0.5 + Math.random() / 2);

const connectionOptions = {
  connectTimeout: commandTimeoutMs,
  // Ends a connection that owes an answer for so long.
  socketTimeout: commandTimeoutMs,
  keepAlive: 10_000,
  retryStrategy,
} as const;

/** Of a connection on which every command is bounded in time. */
const commandConnection = { ...connectionOptions, commandTimeout: commandTimeoutMs, maxRetriesPerRequest: 1, enableOfflineQueue: true } as const;

/** Of one that hears nothing for hours, and waits for its Redis for ever. */
const subscriberConnection = { ...connectionOptions, maxRetriesPerRequest: null, autoResubscribe: false } as const;

/** Opens a connection for commands, whatever the Redis is: one, behind sentinels, a cluster. Keys used together need one hash tag. */
export function openRedis(options: RedisConnectionOptions): Redis {
  const { place, tls } = placeOf(options);
  const connection = place.kind === 'cluster' ? openCluster(place, tls) : new Redis({ ...commandConnection, ...addressOf(place, tls) });
  return listened(connection, options);
}

/** Opens a connection that subscribes, beside one for commands. */
export function openSubscriber(options: RedisConnectionOptions, commands: Redis): Redis {
  const { place, tls } = placeOf(options);
  const address = place.kind === 'cluster' ? { ...loginOf(place), Connector: anyNode(() => nodesOf(commands, place), tls) } : addressOf(place, tls);
  return listened(new Redis({ ...subscriberConnection, ...address }), options);
}

function listened(connection: Redis, { onConnectionError }: RedisConnectionOptions): Redis {
  const tell = (error: Error): void => onConnectionError?.(error);
  return connection.on('error', tell).on('node error', tell);
}

function placeOf({ url, ca, clientCertificate }: RedisAccess): { place: RedisPlace; tls: ConnectionOptions | undefined } {
  const place = parseRedisUrl(url.reveal());
  const identity = clientCertificate && { cert: clientCertificate.reveal(), key: clientCertificate.reveal() };
  return { place, tls: place.tls ? { ...(ca && { ca: ca.reveal() }), ...identity } : undefined };
}

function addressOf(place: RedisPlace, tls: ConnectionOptions | undefined): RedisOptions {
  const login = { ...loginOf(place), db: place.db, ...(tls && { tls }) };
  const [first] = place.hosts;
  // Where several share an address, it says which one is meant (RFC 6066 section 3); an address is no name.
  if (place.kind === 'single') return { ...login, ...first, ...(tls && first !== undefined && isIP(first.host) === 0 && { tls: { ...tls, servername: first.host } }) };
  return {
    ...login,
    sentinels: [...place.hosts],
    name: place.masterName,
    sentinelUsername: place.sentinelUsername,
    sentinelPassword: place.sentinelPassword,
    sentinelCommandTimeout: commandTimeoutMs,
    sentinelRetryStrategy: retryStrategy,
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
    // One that was the master until now: the sentinels know the new one. What it refused is sent again, there.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
}

const loginOf = ({ username, password }: RedisPlace): RedisOptions => ({ ...(username && { username }), ...(password && { password }) });

/** Has every command that one Redis has; the types of ioredis know no name for what they share. */
function openCluster(place: RedisPlace, tls: ConnectionOptions | undefined): Redis {
  const { retryStrategy: clusterRetryStrategy, maxRetriesPerRequest, enableOfflineQueue: _, ...redisOptions } = commandConnection;
  const cluster = new BoundedCluster([...place.hosts], {
    clusterRetryStrategy,
    redisOptions: { ...redisOptions, maxRetriesPerRequest, ...loginOf(place), ...(tls && { tls }) },
    slotsRefreshTimeout: commandTimeoutMs,
    // What moved while nothing was asked for.
    slotsRefreshInterval: 30_000,
    // Certificates are of names: nodes are connected to by the name that they are given by.
    dnsLookup: (address, callback) => callback(null, address),
  });
  return cluster as unknown as Redis;
}

/** While none is known, those that were named. */
function nodesOf(commands: unknown, { hosts }: RedisPlace): readonly RedisHost[] {
  const nodes = commands instanceof Cluster ? commands.nodes().map(({ options: { host = '', port = 0 } }) => ({ host, port })) : [];
  return nodes.length > 0 ? nodes : hosts;
}
