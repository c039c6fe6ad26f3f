import { InvalidSettingsError, settingSchemas, type SettingValues, tracingSettings } from '@gatehouse/service-runtime';
import { type RedisAccess, redisAccessOf, redisSettings } from '@gatehouse/snapshot-channel';
import { z } from 'zod';
import { passthroughHeadersSetting } from './header-policy/passthrough-headers-setting.ts';
import { kmsReferenceForms, parseKmsReference } from './vault/root-keys/kms-reference.ts';

const { addressRanges, flag, integer, key, keys, secret, text, url } = settingSchemas;

const publicUrl = (fallback: string) => url('http:', 'https:').default(fallback).transform((value) => value.replace(/\/+$/, ''));

/** A URL that holds a password. */
const secretUrl = (...protocols: string[]) =>
  secret.refine((value) => {
    const text = value.reveal();
    return URL.canParse(text) && protocols.includes(new URL(text).protocol);
  }, `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);

/** A token that guards everything: a short or repetitive one is a default password by another name. */
const randomToken = secret.refine(
  (value) => value.reveal().length >= 32 && new Set(value.reveal()).size >= 12,
  'needs at least 32 random characters (openssl rand -hex 32)',
);

const kmsReference = text.transform((value, context) => {
  const reference = parseKmsReference(value);
  if (reference) return reference;
  context.addIssue({ code: 'custom', message: kmsReferenceForms });
  return z.NEVER;
});

/** Every setting of the control plane, each as `GATEHOUSE_<name>`; those of OpenTelemetry as everywhere. */
export const controlPlaneSettings = {
  DATABASE_URL: { schema: secretUrl('postgres:', 'postgresql:'), secret: true, description: 'Postgres, as postgres://user:password@host/database.' },
  ...redisSettings,
  CONTROL_PLANE_URL: {
    // The issuer of agents' tokens: metadata, cookies and pages are at paths of the origin itself.
    schema: publicUrl('http://localhost:3000').refine((value) => !URL.canParse(value) || new URL(value).origin === value, 'must be an origin, without a path: the control plane needs a host name of its own'),
    description: 'Public URL of the control plane, without a path (http://localhost:3000).',
  },
  DATA_PLANE_URL: { schema: publicUrl('http://localhost:3001'), description: 'Public URL of the data planes (http://localhost:3001).' },
  CONTROL_PLANE_HOST: { schema: text.default('0.0.0.0'), description: 'Address to listen on (0.0.0.0).' },
  CONTROL_PLANE_PORT: { schema: integer(0, 65_535).default(3000), description: 'Port of the REST API (3000; 0 = a free one).' },
  CONTROL_PLANE_INTERNAL_HOST: { schema: text.default('0.0.0.0'), description: 'Address of the internal port (0.0.0.0).' },
  CONTROL_PLANE_INTERNAL_PORT: { schema: integer(0, 65_535).default(3002), description: 'Port of health and metrics (3002; 0 = a free one).' },
  VAULT_KEY: {
    schema: key.optional(),
    secret: true,
    description: 'Root key of the vault: 32 random bytes in base64 or hex. Without it the stored secrets are lost. Needed unless VAULT_KMS is set.',
  },
  VAULT_KEY_PREVIOUS: {
    schema: keys.optional().transform((value) => value ?? []),
    secret: true,
    description: 'While the root key is replaced: the one before, which opens what it wrapped until all of it is wrapped anew.',
  },
  VAULT_KMS: {
    schema: kmsReference.optional(),
    description: 'Root key in a key management service: transit:https://<host>/v1/<mount>/keys/<name> (HashiCorp Vault, OpenBao) or aws-kms:<ARN of a key or alias>.',
  },
  VAULT_KMS_PREVIOUS: { schema: kmsReference.optional(), description: 'While the root key is replaced: the one before, where that one is in a key management service.' },
  VAULT_KMS_TOKEN: { schema: secret.optional(), secret: true, description: 'Token for transit. From a file, it is read again with every use.' },
  VAULT_KMS_ENDPOINT: { schema: url('http:', 'https:').optional(), description: 'Of AWS KMS, instead of the region’s public one: a VPC endpoint.' },
  VAULT_KEY_GRACE_SECONDS: {
    schema: integer(1, 86_400).default(60),
    description: 'How long a data key is kept after the last value under it was sealed anew: longer than any request takes (60).',
  },
  SNAPSHOT_KEY: {
    schema: keys,
    secret: true,
    description: 'Key the planes share, 32 random bytes; several with commas between them, the first one seals.',
  },
  DATA_PLANE_TOKEN: {
    schema: randomToken.optional(),
    secret: true,
    description: 'What data planes show the token broker on the internal port: the same on all planes, at least 32 random characters. Without it the broker is off.',
  },
  ADMIN_TOKEN: { schema: randomToken, secret: true, description: 'Bearer token of the administrator, at least 32 random characters.' },
  DATABASE_POOL_SIZE: { schema: integer(2, 200).default(10), description: 'Connections to Postgres at most (10).' },
  SNAPSHOT_POLL_SECONDS: { schema: integer(1, 3600).default(10), description: 'How often to look for unpublished changes (10).' },
  CALL_EVENTS_RETENTION_DAYS: { schema: integer(1, 3650).default(30), description: 'For how many days events of calls are kept (30).' },
  OPEN_SERVERS: {
    schema: flag.default(true),
    description: 'false refuses servers that let anyone use a stored credential (true).',
  },
  LOCAL_LOGIN: {
    schema: flag.default(false),
    description: 'true lets people log in with an e-mail address and a password that the gateway keeps; beside an identity provider only administrators (false; gatehouse up: true).',
  },
  HEADER_PASSTHROUGH: { schema: flag.default(true), description: 'false switches pass-through off everywhere: nothing of a caller’s headers passes (true).' },
  PASSTHROUGH_HEADERS: {
    schema: passthroughHeadersSetting.default([]),
    description: 'Names of callers’ headers that pass where a server says nothing, comma-separated. At the first start they become the global header policy, unless the source is env.',
  },
  PASSTHROUGH_HEADERS_SOURCE: {
    schema: z.enum(['db', 'env', 'merge'], 'must be db, env or merge').optional(),
    description: 'Where the global list comes from: db (the policy, and the environment where it has none), env (the environment alone), merge (both). What the policy says, or db.',
  },
  LOGIN_STARTS_PER_MINUTE: { schema: integer(1, 1_000_000).default(120), description: 'Logins that one address may begin in a minute, at each control plane (120).' },
  LOGIN_FAILURES_PER_ADDRESS: { schema: integer(1, 1_000_000).default(30), description: 'Wrong passwords and links of one address in a quarter of an hour, at each control plane (30).' },
  LOGIN_FAILURES_PER_ACCOUNT: { schema: integer(1, 1_000_000).default(50), description: 'Wrong passwords at one account in a quarter of an hour, from anywhere, at each control plane (50).' },
  LOGIN_FAILURES_PER_PAIR: { schema: integer(1, 1_000_000).default(5), description: 'Wrong passwords of one address at one account in a quarter of an hour, at each control plane (5).' },
  PROVIDER_CHECK_SECONDS: {
    schema: integer(1, 86_400).default(3600),
    description: 'How old an identity provider’s word about a person may be where an agent refreshes; then it is asked again (3600).',
  },
  PROVIDER_CHECK_GRACE_SECONDS: {
    schema: integer(1, 2_592_000).default(86_400),
    description: 'How long agents go on after the provider’s last word where it cannot be asked: it is away, or gave a login nothing to ask with (86400).',
  },
  TRUSTED_PROXIES: {
    schema: addressRanges.default([]),
    description: 'Proxies whose X-Forwarded-For is believed: loopback, private, all, or CIDR ranges, comma-separated (none).',
  },
  EGRESS_ALLOWED_RANGES: {
    schema: addressRanges.default([]),
    description: 'Addresses that tests of upstreams may connect to besides public ones: loopback, private, all, or CIDR ranges, comma-separated.',
  },
  OAUTH_CLIENT_ALLOWED_RANGES: {
    schema: addressRanges.default([]),
    description: 'Addresses where agents may publish what they say of themselves (client ID metadata documents, key sets) besides public ones. Anyone names these (none).',
  },
  OAUTH_DYNAMIC_REGISTRATION: {
    schema: flag.default(true),
    description: 'false keeps clients from registering themselves (RFC 7591): they publish a metadata document, or an administrator registers them (true).',
  },
  OAUTH_MAX_UNUSED_CLIENTS: {
    schema: integer(0, 10_000_000).default(100_000),
    description: 'Clients that registered themselves and that nobody has allowed anything yet, at most; more are refused until older ones are forgotten, after a day (100000).',
  },
  OAUTH_AUTHORIZATIONS_PER_MINUTE: { schema: integer(1, 1_000_000).default(300), description: 'Logins that agents begin from one address, in a minute at each control plane (300).' },
  OAUTH_TOKEN_REQUESTS_PER_MINUTE: { schema: integer(1, 1_000_000).default(1_200), description: 'Requests for tokens, their introspection and revocation from one address, in a minute at each control plane (1200).' },
  OAUTH_REGISTRATIONS_PER_10_MINUTES: { schema: integer(1, 1_000_000).default(300), description: 'Clients that register themselves from one address, in ten minutes at each control plane (300).' },
  LOG_LEVEL: { schema: z.enum(['trace', 'debug', 'info', 'warn', 'error'], 'must be trace, debug, info, warn or error').default('info'), description: 'Log level (info).' },
  ...tracingSettings,
} as const;

export type ControlPlaneSettings = SettingValues<typeof controlPlaneSettings>;

/** What `migrate` needs. */
export const migrationSettings = { DATABASE_URL: controlPlaneSettings.DATABASE_URL };

/** Under which Nest injects the settings. */
export const settingsToken = Symbol('settings');

/** @throws InvalidSettingsError when no channel was given and none is set. */
export function requireRedis(settings: ControlPlaneSettings): RedisAccess {
  const access = redisAccessOf(settings);
  if (!access) throw new InvalidSettingsError('GATEHOUSE_REDIS_URL is required');
  return access;
}
