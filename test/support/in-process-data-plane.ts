import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueServiceAccountKey } from '@gatehouse/agent-auth';
import { startDataPlane } from '@gatehouse/data-plane';
import {
  compileDocument, type EnvironmentPolicy, headerPolicyId, type PlainSnapshotDocument, resolveGlobalPolicy, type SealedDocument, snapshotKeysOf, type StoredHeaderPolicy,
} from '@gatehouse/gateway-config';
import { createLogger } from '@gatehouse/service-runtime';
import { createMemoryChannel, type SnapshotChannel } from '@gatehouse/snapshot-channel';

type PlainServer = Extract<PlainSnapshotDocument, { kind: 'server' }>['server'];
/** A server as a spec writes it; open, without a credential, unless it says otherwise. */
export type SpecServer = Pick<PlainServer, 'name' | 'upstream'> & Partial<PlainServer>;

export interface InProcessDataPlane {
  readonly url: string;
  readonly internalUrl: string;
  readonly channel: SnapshotChannel;
  /** GATEHOUSE_SNAPSHOT_KEY */
  readonly key: Buffer;
  /** Every line of the log so far. */
  readonly log: string[];
  /** Publishes these servers of workspace `default`, with ids equal to their names, and waits until they are served. */
  publish(...servers: SpecServer[]): Promise<void>;
  remove(...names: string[]): Promise<void>;
  /** Publishes the global policy, of its document and what the environment says. */
  publishHeaderPolicy(document: StoredHeaderPolicy | undefined, environment?: Partial<EnvironmentPolicy>): Promise<void>;
  /** Makes a service account of workspace `default`; resolves to its key once it is served. */
  addServiceAccount(name: string): Promise<string>;
  close(): Promise<void>;
}

/** A data plane in this process, fed by hand: for specs about its own behaviour. One of the same `fleet` serves what the other does. */
export async function startInProcessDataPlane(
  environment: Record<string, string> = {},
  fleet: { readonly key: Buffer; readonly channel: SnapshotChannel } = { key: randomBytes(32), channel: createMemoryChannel() },
): Promise<InProcessDataPlane> {
  const { key: rawKey, channel } = fleet;
  const keys = snapshotKeysOf([rawKey]);
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-spec-'));
  const log: string[] = [];
  const dataPlane = await startDataPlane({
    channel,
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

  const publish = async (documents: readonly SealedDocument[], removed: readonly string[] = []): Promise<void> => {
    const expected = await channel.readState();
    const revision = (expected?.revision ?? 0) + 1;
    await channel.publish({ expected, revision, mode: 'change', documents, removed });
    await untilServed(dataPlane.internalUrl, revision);
  };

  return {
    url: dataPlane.url,
    internalUrl: dataPlane.internalUrl,
    channel,
    key: rawKey,
    log,
    publish: (...servers) =>
      publish(
        servers.map((server) =>
          compileDocument(keys, {
            kind: 'server',
            id: server.name,
            workspace: 'default',
            server: { type: 'mcp', agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' }, ...server },
          }),
        ),
      ),
    remove: (...names) => publish([], names),
    publishHeaderPolicy: (document, environment) => {
      const policy = resolveGlobalPolicy(document, { enabled: true, list: [], source: undefined, ...environment });
      return publish([compileDocument(keys, { kind: 'header-policy', id: headerPolicyId, policy })]);
    },
    addServiceAccount: async (name) => {
      const { key, keyId, keyHash } = issueServiceAccountKey();
      await publish([compileDocument(keys, { kind: 'service-account', id: `account-${name}`, workspace: 'default', name, groups: [], keyId, keyHash })]);
      return key.reveal();
    },
    close: async () => {
      await dataPlane.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The channel is in process: a few turns of the event loop are enough, and the revision says when. */
async function untilServed(internalUrl: string, revision: number): Promise<void> {
  for (;;) {
    const status = (await (await fetch(`${internalUrl}/debug/snapshot`)).json()) as { revision?: number };
    if (status.revision === revision) return;
  }
}
