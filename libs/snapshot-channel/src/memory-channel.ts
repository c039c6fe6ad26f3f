import { randomUUID } from 'node:crypto';
import type { ChannelDocument, ChannelListener, ChannelState, Heartbeat, Hint, SnapshotChannel } from './snapshot-channel.ts';

/** The channel of `gatehouse up`: both planes in one process, nothing to lose on the way. */
export function createMemoryChannel(): SnapshotChannel {
  const documents = new Map<string, ChannelDocument>();
  const listeners = new Set<ChannelListener>();
  const heartbeats = new Map<string, Heartbeat>();
  let state: ChannelState | undefined;

  return {
    publish: ({ expected, revision, mode, documents: added, removed }) => {
      if (expected?.stamp !== state?.stamp) return Promise.resolve(undefined);
      if (mode === 'replace') documents.clear();
      for (const document of added) documents.set(document.id, document);
      for (const id of removed) documents.delete(id);
      const hint: Hint = {
        state: { revision, stamp: randomUUID() },
        previousStamp: state?.stamp,
        changed: mode === 'replace' ? [] : added.map(({ id, hash }) => ({ id, hash })),
        removed,
        replaced: mode === 'replace',
      };
      state = hint.state;
      for (const listener of listeners) queueMicrotask(() => listener.onHint(hint));
      return Promise.resolve(state);
    },
    readState: () => Promise.resolve(state),
    readIndex: () => Promise.resolve(state && { state, index: new Map([...documents].map(([id, { hash }]) => [id, hash])) }),
    isWhole: () => Promise.resolve(true),
    readDocuments: (ids) => Promise.resolve(ids.flatMap((id) => documents.get(id) ?? [])),
    follow: (listener) => {
      listeners.add(listener);
      queueMicrotask(() => listener.onSubscribed());
      return Promise.resolve(() => {
        listeners.delete(listener);
        return Promise.resolve();
      });
    },
    publishEvent: (event) => {
      for (const listener of listeners) queueMicrotask(() => listener.onEvent?.(event));
      return Promise.resolve();
    },
    reportHeartbeat: (heartbeat) => {
      heartbeats.set(heartbeat.id, heartbeat);
      return Promise.resolve();
    },
    readHeartbeats: () => Promise.resolve([...heartbeats.values()]),
    close: () => Promise.resolve(),
  };
}
