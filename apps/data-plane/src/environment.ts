import { isAllowedRange } from '@gatehouse/egress';
import { parseKey, type Secret } from '@gatehouse/sealing';
import { settingSchemas as schemas } from '@gatehouse/service-runtime';

const key = (text: string): Buffer => parseKey(text);

/** One or more keys, comma-separated; the first seals. */
const keys = schemas.secret.transform((secret: Secret, context) => {
  try {
    const [first, ...more] = secret.reveal().split(',').map(key);
    return [first as Buffer, ...more] as const;
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'is not a key' });
    return [Buffer.alloc(0)] as const;
  }
});

const ranges = schemas.list.refine((list) => list.every(isAllowedRange), 'must be loopback, private, all, or CIDR ranges, comma-separated');

/** The data plane's settings; each is `GATEHOUSE_<name>`. */
export const dataPlaneSettings = {
  DATA_PLANE_URL: { schema: schemas.url('http:', 'https:').default('http://localhost:3001'), description: 'Public URL of the data planes, as agents see it. Default http://localhost:3001' },
  DATA_PLANE_HOST: { schema: schemas.text.default('0.0.0.0'), description: 'Address to listen on. Default 0.0.0.0' },
  DATA_PLANE_PORT: { schema: schemas.integer(0, 65_535).default(3001), description: 'Port to listen on, 0 for a free one. Default 3001' },
  DATA_PLANE_PEER_URL: { schema: schemas.url('http:', 'https:').optional(), description: 'Where other data planes reach this one’s public port, for sessions it holds. Default http://<DATA_PLANE_HOST, or the host name>:<DATA_PLANE_PORT>' },
  DATA_PLANE_INTERNAL_HOST: { schema: schemas.text.default('0.0.0.0'), description: 'Address of health, metrics and debugging. Default 0.0.0.0' },
  DATA_PLANE_INTERNAL_PORT: { schema: schemas.integer(0, 65_535).default(3003), description: 'Port of health, metrics and debugging, never to be exposed. Default 3003' },
  DATA_PLANE_ID: { schema: schemas.text.optional(), description: 'Name of this data plane in the console. Default: host name and process id' },
  REDIS_URL: { schema: schemas.secret.optional(), secret: true, description: 'redis:// or rediss:// URL over which configuration arrives' },
  SNAPSHOT_KEY: { schema: keys, secret: true, description: '32 random bytes, base64 or hex, the same on all planes; several, comma-separated, to change it' },
  SNAPSHOT_DIR: { schema: schemas.text.default('.gatehouse/data-plane'), description: 'Where the last known good configuration is kept (sealed). Default .gatehouse/data-plane' },
  SNAPSHOT_POLL_SECONDS: { schema: schemas.integer(1, 3600).default(10), description: 'How often to look for missed changes. Default 10' },
  ALLOWED_ORIGINS: { schema: schemas.list.default([]), description: 'Browser origins that may call, comma-separated; the public URL’s own always may' },
  ALLOWED_HOSTS: { schema: schemas.list.default([]), description: 'Host names that requests may be for, comma-separated. Default: any' },
  MAX_BODY_BYTES: { schema: schemas.integer(1024, 268_435_456).default(4_194_304), description: 'Largest request body. Default 4194304 (4 MiB)' },
  MAX_HEADER_BYTES: { schema: schemas.integer(4096, 262_144).default(32_768), description: 'Largest request head. Default 32768' },
  MAX_HEADER_COUNT: { schema: schemas.integer(10, 1000).default(100), description: 'Most request headers. Default 100' },
  CONNECT_TIMEOUT_MS: { schema: schemas.integer(10, 60_000).default(5_000), description: 'To connect to an upstream. Default 5000' },
  CONNECTIONS_PER_ORIGIN: { schema: schemas.integer(1, 10_000).default(256), description: 'Calls of one upstream that run at once; more wait, bounded. Default 256' },
  STREAMS_PER_ORIGIN: { schema: schemas.integer(1, 100_000).default(10_000), description: 'Streams that only listen (GET), of one upstream. Default 10000' },
  RESPONSE_TIMEOUT_MS: { schema: schemas.integer(10, 3_600_000).default(60_000), description: 'To the first byte of an upstream’s response. Default 60000' },
  STREAM_IDLE_TIMEOUT_MS: { schema: schemas.integer(10, 86_400_000).default(300_000), description: 'Between two pieces of a response. Streams that only listen (GET) are not bound by it. Default 300000' },
  CIRCUIT_BREAKER_FAILURES: { schema: schemas.integer(0, 1_000_000).default(20), description: 'Failures in a row (no connection, no answer in time, broken off) after which nothing is sent to an upstream for a while; 0 = never. Default 20' },
  CIRCUIT_BREAKER_OPEN_MS: { schema: schemas.integer(10, 600_000).default(5_000), description: 'How long that is; then one request tries, and each that fails doubles it, up to a minute or this. Default 5000' },
  KEEP_ALIVE_COMMENT_MS: { schema: schemas.integer(10, 300_000).default(20_000), description: 'How often an idle event stream gets a comment. Default 20000' },
  SESSION_TTL_SECONDS: { schema: schemas.integer(60, 2_592_000).default(86_400), description: 'How long a legacy MCP session id is valid. Default 86400 (a day)' },
  BRIDGE_MAX_SESSIONS: { schema: schemas.integer(1, 1_000_000).default(10_000), description: 'Most sessions between callers and upstreams of different transports that this data plane holds. Default 10000' },
  BRIDGE_MAX_SESSIONS_PER_CALLER: { schema: schemas.integer(1, 1_000_000).default(100), description: 'Most of these sessions of one caller with one server; callers without a name together have half of all. Default 100' },
  BRIDGE_BUFFER_BYTES: { schema: schemas.integer(65_536, 268_435_456).default(8_388_608), description: 'What may wait for the caller of such a session before its upstream is paused, and the largest message in it. Default 8388608 (8 MiB)' },
  DRAIN_TIMEOUT_MS: { schema: schemas.integer(0, 600_000).default(25_000), description: 'How long requests in flight may take after SIGTERM. Default 25000' },
  EGRESS_ALLOWED_RANGES: { schema: ranges.default([]), description: 'Addresses upstreams may have besides public ones: loopback, private, all, or CIDR ranges, comma-separated' },
  LOG_LEVEL: { schema: schemas.logLevel.default('info'), description: 'trace, debug, info, warn, error. Default info' },
} as const;
