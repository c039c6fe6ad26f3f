import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueServiceAccountKey } from '@gatehouse/agent-auth';
import type { SharedBuckets } from '@gatehouse/call-limits';
import { startDataPlane } from '@gatehouse/data-plane';
import {
  authorizationServerId, compileDocument, type EnvironmentPolicy, type GlobalHeaderPolicy, headerPolicyId, type IdentityKeysDocument, identityKeysId, noGlobalPolicy, type PlainSnapshotDocument, type PublicSigningKey, resolveGlobalPolicy, revocationsId, type SealedDocument, snapshotKeysOf, type StoredHeaderPolicy, type WorkspaceAccess,
} from '@gatehouse/gateway-config';
import { createLogger } from '@gatehouse/service-runtime';
import { createMemoryChannel, type SnapshotChannel } from '@gatehouse/snapshot-channel';
import { listenOnLoopback } from './listen.ts';
import type { SigningKey } from './token-issuer.ts';

type PlainServer = Extract<PlainSnapshotDocument, { kind: 'server' }>['server'];
type OfType<Type extends string> = Extract<PlainServer, { type: Type }>;
/** A server as a spec writes it; MCP, open, without a credential, unless it says otherwise. */
export type SpecServer = Pick<OfType<'mcp'>, 'name' | 'upstream'> & Partial<Omit<OfType<'mcp'>, 'type'>> & Partial<Pick<OfType<'api'>, 'tools'>> & { readonly type?: PlainServer['type']; readonly workspace?: string };

type SpecVirtualServer = Pick<OfType<'virtual'>, 'name' | 'type' | 'members'> & Partial<OfType<'virtual'>> & { readonly workspace?: string };

/** The agents' authorization server as the control plane publishes it. */
export interface SpecAuthorizationServer {
  readonly url: string;
  readonly key: SigningKey;
}

export interface InProcessDataPlane {
  readonly url: string;
  readonly internalUrl: string;
  readonly channel: SnapshotChannel;
  /** GATEHOUSE_SNAPSHOT_KEY */
  readonly key: Buffer;
  /** Every line of the log so far. */
  readonly log: string[];
  /** Publishes these servers, of workspace `default` with ids equal to their names, and waits until they are served. */
  publish(...servers: (SpecServer | SpecVirtualServer)[]): Promise<void>;
  remove(...names: string[]): Promise<void>;
  /** Publishes who belongs to a workspace; everyone does where nothing is said. */
  publishWorkspace(name: string, access?: WorkspaceAccess): Promise<void>;
  /** Publishes the global policy, of its document and what the environment says. */
  publishHeaderPolicy(document: StoredHeaderPolicy | undefined, environment?: Partial<EnvironmentPolicy>): Promise<void>;
  /** Publishes whose access tokens interactive servers take, with the grants that are revoked. */
  publishAuthorizationServer(server: SpecAuthorizationServer, revoked?: readonly string[]): Promise<void>;
  /** Publishes that the tokens of these connections, apps or people are withdrawn, in the place of those that were before. */
  withdraw(...subjects: string[]): Promise<void>;
  /** Publishes what callers' identities are signed with. */
  publishIdentityKeys(issuer: string, keys: IdentityKeysDocument['keys']): Promise<void>;
  /** Makes a service account of workspace `default`; resolves to its key once it is served. */
  addServiceAccount(name: string, groups?: string[]): Promise<string>;
  close(): Promise<void>;
}

interface Fleet {
  readonly key: Buffer;
  readonly channel: SnapshotChannel;
  readonly sharedBuckets?: SharedBuckets;
}

/** A data plane in this process, fed by hand: for specs about its own behaviour. One of the same `fleet` serves what the other does. */
export async function startInProcessDataPlane(
  environment: Record<string, string> = {},
  fleet: Fleet = { key: randomBytes(32), channel: createMemoryChannel() },
): Promise<InProcessDataPlane> {
  const { key: rawKey, channel, sharedBuckets } = fleet;
  const keys = snapshotKeysOf([rawKey]);
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-spec-'));
  const log: string[] = [];
  const dataPlane = await startDataPlane({
    channel,
    ...(sharedBuckets && { sharedBuckets }),
    logger: createLogger({ level: 'debug', role: 'spec', destination: { write: (line: string) => void log.push(line) } }),
    environment: {
      GATEHOUSE_SNAPSHOT_KEY: rawKey.toString('base64'),
      GATEHOUSE_SNAPSHOT_DIR: directory,
      GATEHOUSE_DATA_PLANE_HOST: '127.0.0.1',
      GATEHOUSE_DATA_PLANE_PORT: '0',
      GATEHOUSE_DATA_PLANE_INTERNAL_HOST: '127.0.0.1',
      GATEHOUSE_DATA_PLANE_INTERNAL_PORT: '0',
      GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback',
      ...environment,
    },
  });

  const published = await channel.readState();
  if (published) await untilServed(dataPlane.internalUrl, published.revision);

  const headerPolicyDocument = (policy: GlobalHeaderPolicy): SealedDocument => compileDocument(keys, { kind: 'header-policy', id: headerPolicyId, policy });
  let withdrawals = 0;
  const known = new Set<string>();
  const workspaceDocument = (name: string, access?: WorkspaceAccess): SealedDocument => {
    known.add(name);
    return compileDocument(keys, { kind: 'workspace', id: `workspace-${name}`, name, ...(access && { access }) });
  };
  const newWorkspaces = (names: readonly string[]): SealedDocument[] => [...new Set(names)].filter((name) => !known.has(name)).map((name) => workspaceDocument(name));
  const publish = async (documents: readonly SealedDocument[], removed: readonly string[] = []): Promise<void> => {
    const expected = await channel.readState();
    const revision = (expected?.revision ?? 0) + 1;
    // As a control plane does: the global policy is there from the first publication on.
    const first = expected === undefined && !documents.some(({ id }) => id === headerPolicyId) ? [headerPolicyDocument(noGlobalPolicy)] : [];
    await channel.publish({ expected, revision, mode: 'change', documents: [...first, ...documents], removed });
    await untilServed(dataPlane.internalUrl, revision);
  };

  return {
    url: dataPlane.url,
    internalUrl: dataPlane.internalUrl,
    channel,
    key: rawKey,
    log,
    publishWorkspace: (name, access) => publish([workspaceDocument(name, access)]),
    publish: (...servers) =>
      publish([
        ...newWorkspaces(servers.map(({ workspace = 'default' }) => workspace)),
        ...servers.map(({ workspace = 'default', ...server }) =>
          compileDocument(keys, {
            kind: 'server',
            id: workspace === 'default' ? server.name : `${workspace}/${server.name}`,
            workspace,
            server: { agentAuth: { type: 'passthrough' }, ...(server.type !== 'virtual' && { type: 'mcp', appAuth: { type: 'none' } }), ...server } as PlainServer,
          }),
        ),
      ]),
    remove: (...names) => publish([], names),
    publishHeaderPolicy: (document, environment) => {
      const policy = resolveGlobalPolicy(document, { enabled: true, list: [], source: undefined, ...environment });
      return publish([headerPolicyDocument(policy)]);
    },
    publishAuthorizationServer: ({ url: issuer, key: { publicJwk } }, revoked = []) =>
      publish([
        compileDocument(keys, {
          kind: 'authorization-server',
          id: authorizationServerId,
          issuer,
          jwks: { keys: [publicJwk as PublicSigningKey] },
          revoked: revoked.map((grant) => ({ grant, until: Math.floor(Date.now() / 1000) + 300 })),
        }),
      ]),
    withdraw: (...subjects) => {
      // Whoever disconnects twice is named anew, with another time.
      const until = Math.floor(Date.now() / 1000) + 3_700 + (withdrawals += 1);
      return publish([compileDocument(keys, { kind: 'revocations', id: revocationsId, revoked: subjects.map((subject) => ({ subject, until })) })]);
    },
    publishIdentityKeys: (issuer, signing) => publish([compileDocument(keys, { kind: 'identity-keys', id: identityKeysId, issuer, keys: signing })]),
    addServiceAccount: async (name, groups = []) => {
      const { key, keyId, keyHash } = issueServiceAccountKey();
      await publish([compileDocument(keys, { kind: 'service-account', id: `account-${name}`, workspace: 'default', name, groups, keyId, keyHash })]);
      return key.reveal();
    },
    close: async () => {
      await dataPlane.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** One whose public URL is the one it listens at, so that tokens can be for its servers' own URLs. */
export async function startPublicDataPlane(environment: Record<string, string> = {}, fleet?: Fleet): Promise<InProcessDataPlane> {
  const port = await freePort();
  return startInProcessDataPlane({ GATEHOUSE_DATA_PLANE_PORT: String(port), GATEHOUSE_DATA_PLANE_URL: `http://127.0.0.1:${port}`, ...environment }, fleet);
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The channel is in process: a few turns of the event loop are enough, and the revision says when. */
async function untilServed(internalUrl: string, revision: number): Promise<void> {
  for (;;) {
    const status = (await (await fetch(`${internalUrl}/debug/snapshot`)).json()) as { revision?: number };
    // A control plane of the same fleet may have published another one meanwhile.
    if ((status.revision ?? 0) >= revision) return;
  }
}
