/** What the channel holds at the moment. `stamp` is new with every publication, so that a restored revision is noticed. */
export interface ChannelState {
  readonly revision: number;
  readonly stamp: string;
}

export interface ChannelDocument {
  readonly id: string;
  readonly hash: string;
  readonly sealed: Buffer;
}

/** One publication: what changed since the state the publisher had read, applied whole or not at all. */
export interface Publication {
  /** The state this builds on, `undefined` for an empty channel. Another one there: nothing is written. */
  readonly expected: ChannelState | undefined;
  readonly revision: number;
  /** `replace`: the documents are all there are. `change`: they are added or replaced, `removed` ids go. */
  readonly mode: 'replace' | 'change';
  readonly documents: readonly ChannelDocument[];
  readonly removed: readonly string[];
}

/** Sent with every publication; may be lost. */
export interface Hint {
  readonly state: ChannelState;
  /** The stamp the publication was built on: whoever holds another one has missed something. */
  readonly previousStamp: string | undefined;
  readonly changed: readonly { readonly id: string; readonly hash: string }[];
  readonly removed: readonly string[];
  /** Everything was replaced: read the index. */
  readonly replaced: boolean;
}

/** What a data plane says of itself. */
export interface Heartbeat {
  readonly id: string;
  readonly version: string;
  readonly revision: number | undefined;
  /** Of all documents it serves; two data planes with the same hash serve the same. */
  readonly hash: string | undefined;
  /** Of the snapshot, since it was applied. */
  readonly ageSeconds: number;
  readonly source: 'channel' | 'disk' | undefined;
  readonly rejects: readonly { readonly id: string; readonly reason: string }[];
  readonly draining: boolean;
  /** ISO 8601 */
  readonly reportedAt: string;
}

/** Something that happened, of which data planes tell whoever waits for it. May be lost: nothing may depend on it alone. */
export interface ChannelEvent {
  /** An account was connected. */
  readonly connected: {
    /** The app, or the server that was discovered. */
    readonly owner: string;
    /** Absent for a shared connection. */
    readonly person?: string | undefined;
    /** Of the link by which it was. */
    readonly linkId: string;
  };
}

export interface ChannelListener {
  onHint(hint: Hint): void;
  /** The subscription began or began again: hints may have been missed. */
  onSubscribed(): void;
  onEvent?(event: ChannelEvent): void;
}

/** The way from the control plane to the data planes. Two implementations: Redis, and in process. Errors reject. */
export interface SnapshotChannel {
  /**
   * Takes distinct documents. Where it rejects before it was sent nothing was written; a change rejects on what is not whole.
   * @returns the new state, or `undefined` when the channel was not in the expected state (read again, retry)
   */
  publish(publication: Publication): Promise<ChannelState | undefined>;
  readState(): Promise<ChannelState | undefined>;
  /** State and index (id → hash) of one moment; `undefined` while nothing was ever published. Rejects what is not whole. */
  readIndex(): Promise<{ readonly state: ChannelState; readonly index: ReadonlyMap<string, string> } | undefined>;
  /** Whether all is there that was published. What is not whole stays so until everything is published again. */
  isWhole(): Promise<boolean>;
  /** The documents that exist, in any order; ids without one are left out. */
  readDocuments(ids: readonly string[]): Promise<readonly ChannelDocument[]>;
  /** @returns a function that ends the subscription. Never rejects for a lost connection: it goes on trying. */
  follow(listener: ChannelListener): Promise<() => Promise<void>>;
  /** To every data plane that listens at this moment. */
  publishEvent(event: ChannelEvent): Promise<void>;
  reportHeartbeat(heartbeat: Heartbeat): Promise<void>;
  /** Of the last minute. */
  readHeartbeats(): Promise<readonly Heartbeat[]>;
  close(): Promise<void>;
}
