import type { CallEventStream } from './call-event-stream.ts';

/** The stream of `gatehouse up`: both planes in one process. @param maxEvents what may wait */
export function createMemoryCallEventStream(maxEvents = 50_000): CallEventStream {
  const waiting: { readonly events: readonly string[]; readonly appendedAt: number }[] = [];
  return {
    append: (events) => {
      waiting.push({ events, appendedAt: Date.now() });
      let lost = 0;
      for (let size = waiting.reduce((sum, batch) => sum + batch.events.length, 0); size - lost > maxEvents; lost += waiting.shift()?.events.length ?? size);
      return Promise.resolve(lost);
    },
    take: async (_consumer, max, store) => {
      const batches = waiting.slice(0, max);
      if (batches.length === 0) return 0;
      await store(batches.map(({ events }) => `[${events.join(',')}]`));
      // Meanwhile the oldest may have gone by themselves.
      for (const batch of batches) if (waiting[0] === batch) waiting.shift();
      return batches.length;
    },
    waiting: () => Promise.resolve({ batches: waiting.length, oldestMs: waiting[0] === undefined ? 0 : Date.now() - waiting[0].appendedAt }),
    close: () => Promise.resolve(),
  };
}
