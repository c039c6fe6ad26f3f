import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';

/** A call of `slow` that waits for the test to end it. */
export interface SlowCall {
  release(): void;
  /** Aborted when the protocol cancels the call, or when its connection does where that is a cancel. */
  signal: AbortSignal;
}

/** What the sample upstreams show to a test. */
export class SampleUpstreamLog {
  /** Headers of each HTTP request in the order they arrived, names in lower case. */
  readonly headers: Record<string, string>[] = [];
  readonly #events = new EventEmitter();

  record(request: IncomingMessage): void {
    const entries = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
    this.headers.push(Object.fromEntries(entries) as Record<string, string>);
  }

  /** The next call of `slow`. Ask for it before calling the tool. */
  async nextSlowCall(): Promise<SlowCall> {
    const [call] = (await once(this.#events, 'slow')) as [SlowCall];
    return call;
  }

  /** Holds the call of `slow` until it is released or aborted. */
  async holdSlowCall(signal: AbortSignal): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    signal.addEventListener('abort', () => resolve('cancelled'), { once: true });
    this.#events.emit('slow', { release: () => resolve('released'), signal } satisfies SlowCall);
    return promise;
  }
}

export const sampleToolDescriptions = {
  echo: 'Answers with the text it was given',
  whoami: 'Answers with the headers that reached it',
  slow: 'Answers when the test says so',
};

export function textContent(text: string): { content: { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text }] };
}
