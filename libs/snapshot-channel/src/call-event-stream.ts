/** What waits in the stream. */
export interface WaitingCallEvents {
  readonly batches: number;
  /** Since the oldest of them was appended; 0 where there is none. */
  readonly oldestMs: number;
}

/**
 * The way of call events from the data planes to the control plane, in batches of JSON texts. Bounded, and each batch is delivered at
 * least once: twice where an answer is lost or whoever stores it dies. Two implementations: Redis, and in process. Errors reject.
 */
export interface CallEventStream {
  /**
   * @param batch one JSON text per event
   * @returns how many events were lost for it: where the stream is full the oldest batches go. Some may just have been stored
   */
  append(batch: readonly string[]): Promise<number>;
  /**
   * Hands waiting batches to `store`, the oldest first, as JSON arrays. They leave the stream when it has resolved; where it rejects,
   * or the process dies, they are handed over again.
   * @param consumer of a process, its own
   * @param max batches
   * @returns how many were stored
   */
  take(consumer: string, max: number, store: (batches: readonly string[]) => Promise<void>): Promise<number>;
  waiting(): Promise<WaitingCallEvents>;
  close(): Promise<void>;
}
