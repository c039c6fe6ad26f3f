import type { EventId, EventStore, JSONRPCMessage, StreamId } from '@modelcontextprotocol/server';

interface StoredEvent {
  id: EventId;
  streamId: StreamId;
  message: JSONRPCMessage;
}

/** Keeps every event for as long as the process lives, so that `Last-Event-ID` can be answered. */
export class MemoryEventStore implements EventStore {
  readonly #events: StoredEvent[] = [];

  storeEvent(streamId: StreamId, message: JSONRPCMessage): Promise<EventId> {
    const id = `event-${this.#events.length}`;
    this.#events.push({ id, streamId, message });
    return Promise.resolve(id);
  }

  getStreamIdForEventId(eventId: EventId): Promise<StreamId | undefined> {
    return Promise.resolve(this.#events.find((event) => event.id === eventId)?.streamId);
  }

  /** Only the stream that the event was sent on: 2025-03-26 forbids replaying another one's messages. */
  async replayEventsAfter(
    lastEventId: EventId,
    { send }: { send: (eventId: EventId, message: JSONRPCMessage) => Promise<void> },
  ): Promise<StreamId> {
    const last = this.#events.findIndex((event) => event.id === lastEventId);
    const streamId = this.#events[last]?.streamId ?? '';
    for (const event of this.#events.slice(last + 1)) {
      const isPriming = Object.keys(event.message).length === 0;
      if (event.streamId === streamId && !isPriming) await send(event.id, event.message);
    }
    return streamId;
  }
}
