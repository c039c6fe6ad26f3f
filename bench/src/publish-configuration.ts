import { authorizationServerId, compileDocument, headerPolicyId, noGlobalPolicy, type PlainSnapshotDocument, type SealedDocument, type SnapshotKeys, snapshotKeysOf } from '@gatehouse/gateway-config';
import { Secret } from '@gatehouse/sealing';
import { connectRedisChannel, type SnapshotChannel } from '@gatehouse/snapshot-channel';
import { authorizationServer, type BenchSecrets, tokenAudience, tokenIssuer } from './bench-secrets.ts';

/** Stands in for the control plane: what it publishes is what a control plane would. */
export interface Publisher {
  replaceAll(documents: readonly PlainSnapshotDocument[]): Promise<void>;
  change(document: PlainSnapshotDocument): Promise<void>;
  close(): Promise<void>;
}

export function connectPublisher(redisUrl: string, { snapshotKey }: BenchSecrets): Publisher {
  const keys: SnapshotKeys = snapshotKeysOf([snapshotKey]);
  const channel: SnapshotChannel = connectRedisChannel({ url: new Secret(redisUrl) });
  const publish = async (mode: 'replace' | 'change', documents: readonly SealedDocument[]): Promise<void> => {
    const expected = await channel.readState();
    const published = await channel.publish({ expected, revision: (expected?.revision ?? 0) + 1, mode, documents, removed: [] });
    if (published === undefined) throw new Error('someone else publishes to the Redis of the bench');
  };
  return {
    replaceAll: (documents) => publish('replace', [headerPolicyDocument, workspaceDocument, ...documents].map((document) => compileDocument(keys, document))),
    change: (document) => publish('change', [compileDocument(keys, document)]),
    close: () => channel.close(),
  };
}

export const workspaceDocument: PlainSnapshotDocument = { kind: 'workspace', id: 'workspace-default', name: 'default' };

/** The service account whose key the caller shows. */
export function accountDocument({ account: { keyId, keyHash } }: BenchSecrets): PlainSnapshotDocument {
  return { kind: 'service-account', id: 'account-bench', workspace: 'default', name: 'bench', groups: ['agents'], keyId, keyHash };
}

/** A server with everything that the bench measures on: callers by API key, an API key put in. */
export function serverDocument(name: string, upstreamUrl: string, { upstreamKey }: BenchSecrets): PlainSnapshotDocument {
  return {
    kind: 'server',
    id: `server-${name}`,
    workspace: 'default',
    server: {
      name,
      title: `Orders (${name})`,
      type: 'mcp',
      upstream: { url: upstreamUrl, transport: 'streamable-http' },
      agentAuth: { type: 'api-key' },
      appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: upstreamKey },
      enabled: true,
    },
  };
}

type PlainServerDocument = Extract<PlainSnapshotDocument, { kind: 'server' }>;
type McpServerDocument = PlainServerDocument & { readonly server: Extract<PlainServerDocument['server'], { type: 'mcp' }> };

/** Whose tokens people come with; someone's grant is always revoked. */
export function authorizationServerDocument({ personKey }: BenchSecrets): PlainSnapshotDocument {
  return { kind: 'authorization-server', id: authorizationServerId, issuer: authorizationServer, jwks: { keys: [personKey] }, revoked: [{ grant: 'another-grant', until: 4_000_000_000 }] };
}

/** The same server for people: everything else is as it is for service accounts. */
export function interactiveDocument(name: string, upstreamUrl: string, secrets: BenchSecrets): PlainSnapshotDocument {
  const { server, ...document } = serverDocument(name, upstreamUrl, secrets) as McpServerDocument;
  const access = { allow: [{ group: 'support' }, { group: 'sales' }, { user: 'ben@example.com' }] };
  return { ...document, server: { ...server, agentAuth: { type: 'interactive', scopes: ['orders:read'] }, access } };
}

/** The same again, with each person's own token in place of the stored key: a bearer that is fetched, or one that is stored. */
export function connectedDocument(name: string, upstreamUrl: string, secrets: BenchSecrets): PlainSnapshotDocument {
  const { server, ...document } = interactiveDocument(name, upstreamUrl, secrets) as McpServerDocument;
  return { ...document, server: { ...server, appAuth: { type: 'oauth-authorization-code', app: 'orders' } } };
}

/** For callers with tokens of their issuer's: a stored bearer goes upstream, with which the next one is compared. */
export function bearerDocument(name: string, upstreamUrl: string, secrets: BenchSecrets): PlainSnapshotDocument {
  const { server, ...document } = passThroughDocument(name, upstreamUrl, secrets) as McpServerDocument;
  const { headerPolicy: _policy, ...plain } = server;
  return { ...document, server: { ...plain, appAuth: { type: 'bearer', token: secrets.upstreamKey } } };
}

/** The same, with a token that theirs was exchanged for. */
export function exchangeDocument(name: string, upstreamUrl: string, secrets: BenchSecrets): PlainSnapshotDocument {
  const { server, ...document } = bearerDocument(name, upstreamUrl, secrets) as McpServerDocument;
  return { ...document, server: { ...server, appAuth: { type: 'on-behalf-of', tokenUrl: 'https://id.example/token', clientId: 'gatehouse', clientSecret: secrets.upstreamKey, audience: tokenAudience } } };
}

/** Each request is signed. */
export function signedDocument(name: string, upstreamUrl: string, secrets: BenchSecrets): PlainSnapshotDocument {
  const { server, ...document } = serverDocument(name, upstreamUrl, secrets) as McpServerDocument;
  return { ...document, server: { ...server, appAuth: { type: 'aws-sigv4', region: 'eu-central-1', service: 'execute-api', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: secrets.upstreamKey } } };
}

/** A server that passes the caller's headers and its credential on, once its token was verified. */
export function passThroughDocument(name: string, upstreamUrl: string, { tokenKeys }: BenchSecrets): PlainSnapshotDocument {
  return {
    kind: 'server',
    id: `server-${name}`,
    workspace: 'default',
    server: {
      name,
      type: 'mcp',
      upstream: { url: upstreamUrl, transport: 'streamable-http' },
      agentAuth: { type: 'passthrough', jwt: { jwks: JSON.parse(tokenKeys) as { keys: object[] }, issuer: tokenIssuer, audience: tokenAudience }, restrictedHeaders: ['x-internal-*'] },
      appAuth: { type: 'passthrough' },
      headerPolicy: { mode: 'all', restricted: ['x-debug-*'] },
      enabled: true,
    },
  };
}

/** Several servers as one: each has a prefix, and so each name can be of one only. */
export function virtualDocument(name: string, members: readonly string[]): PlainSnapshotDocument {
  return {
    kind: 'server', id: `server-${name}`, workspace: 'default',
    server: { name, type: 'virtual', agentAuth: { type: 'api-key' }, members: members.map((server, index) => ({ server, prefix: `m${index}_` })), enabled: true },
  };
}

/** The global policy of a deployment that says nothing, without which nothing passes at all. */
export const headerPolicyDocument: PlainSnapshotDocument = { kind: 'header-policy', id: headerPolicyId, policy: noGlobalPolicy };
