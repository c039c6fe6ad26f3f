import { randomBytes } from 'node:crypto';
import { compileDocument, type SealedDocument, type SnapshotKeys, snapshotKeysOf } from '@gatehouse/gateway-config';
import { createLogger, type Logger } from '@gatehouse/service-runtime';
import { type ChannelListener, createMemoryChannel, type Publication, type SnapshotChannel } from '@gatehouse/snapshot-channel';

export const specKeys: SnapshotKeys = snapshotKeysOf([randomBytes(32)]);
export const silentLogger = (): Logger => createLogger({ level: 'silent', role: 'spec', destination: { write: () => undefined } });

/** A server document of workspace `default`; `url` tells versions apart. */
export function serverDocument(id: string, url = 'https://upstream.example/mcp', name = id, keys = specKeys): SealedDocument {
  return compileDocument(keys, {
    kind: 'server',
    id,
    workspace: 'default',
    server: { name, type: 'mcp', upstream: { url }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'bearer', token: 'stored' } },
  });
}

/** Validates nowhere: of a kind no data plane knows. */
export const badDocument = (id: string): SealedDocument => compileDocument(specKeys, { kind: 'server', id, workspace: 'default', server: { type: 'mcp', name: 'BAD NAME' } } as never);

/** What the control plane puts in the place of a document that it cannot open. */
export const unreadableDocument = (id: string): SealedDocument => compileDocument(specKeys, { kind: 'unreadable', id });

export interface FaultyChannel extends SnapshotChannel {
  /** Publishes the next revision. */
  put(documents: SealedDocument[], options?: { removed?: string[]; mode?: Publication['mode']; revision?: number }): Promise<void>;
  /** From now on hints are lost. */
  loseHints(lost: boolean): void;
  /** From now on these documents are not there, although the index has them. */
  loseDocuments(ids: readonly string[]): void;
  /** Called before the next documents are read. */
  beforeDocuments(act: () => Promise<void>): void;
  /** From now on every read fails. */
  fail(failing: boolean): void;
  subscribeAgain(): void;
  /** How many documents were read. */
  documentsRead(): number;
}

/** The in-process channel with the faults that a network has. */
export function faultyChannel(): FaultyChannel {
  const channel = createMemoryChannel();
  const listeners = new Set<ChannelListener>();
  let lost = false;
  let failing = false;
  let lostDocuments: readonly string[] = [];
  let before: (() => Promise<void>) | undefined;
  let read = 0;
  const guarded = <T>(act: () => Promise<T>): Promise<T> => (failing ? Promise.reject(new Error('connection is closed')) : act());
  return {
    ...channel,
    readState: () => guarded(() => channel.readState()),
    readIndex: () => guarded(() => channel.readIndex()),
    readDocuments: async (ids) => {
      read += ids.length;
      const act = before;
      before = undefined;
      await act?.();
      return guarded(() => channel.readDocuments(ids.filter((id) => !lostDocuments.includes(id))));
    },
    follow: (listener) => {
      listeners.add(listener);
      return channel.follow({ onSubscribed: () => listener.onSubscribed(), onHint: (hint) => void (lost || listener.onHint(hint)) });
    },
    put: async (documents, { removed = [], mode = 'change', revision } = {}) => {
      const expected = await channel.readState();
      await channel.publish({ expected, revision: revision ?? (expected?.revision ?? 0) + 1, mode, documents, removed });
    },
    loseHints: (value) => void (lost = value),
    loseDocuments: (ids) => void (lostDocuments = ids),
    beforeDocuments: (act) => void (before = act),
    fail: (value) => void (failing = value),
    subscribeAgain: () => listeners.forEach((listener) => listener.onSubscribed()),
    documentsRead: () => read,
  };
}
