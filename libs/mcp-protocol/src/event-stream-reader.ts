import { GatewayError } from '@gatehouse/errors';

export interface ServerSentEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
}

/** Reads an event stream piece by piece (WHATWG HTML, section 9.2.6). */
export class EventStreamReader {
  /** Of the newest event that had one: where a broken stream goes on (`Last-Event-ID`). */
  lastEventId: string | undefined;
  /** How long the server wants its client to wait before it comes again. */
  retryMs: number | undefined;
  readonly #maxEventLength: number;
  readonly #decoder = new TextDecoder();
  #afterCarriageReturn = false;
  #line = '';
  #type = '';
  #data: string[] = [];
  #length = 0;

  /** @param maxEventLength characters that one event may have */
  constructor(maxEventLength: number) {
    this.#maxEventLength = maxEventLength;
  }

  /**
   * The events that end in this piece.
   * @throws GatewayError upstream_failed for an event that is too large
   */
  push(chunk: Uint8Array): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    const [first = '', ...rest] = this.#decode(chunk).split(/\r\n|\n|\r/);
    this.#append(first);
    for (const next of rest) {
      const event = this.#endLine();
      if (event) events.push(event);
      this.#append(next);
    }
    return events;
  }

  #decode(chunk: Uint8Array): string {
    const text = this.#decoder.decode(chunk, { stream: true });
    if (text === '') return text;
    // A line feed that begins a piece belongs to the carriage return that ended the one before.
    const start = this.#afterCarriageReturn && text.startsWith('\n') ? 1 : 0;
    this.#afterCarriageReturn = text.endsWith('\r');
    return text.slice(start);
  }

  #append(text: string): void {
    this.#length += text.length;
    if (this.#length > this.#maxEventLength) throw new GatewayError('upstream_failed', { detail: `an event is longer than ${this.#maxEventLength}` });
    this.#line += text;
  }

  #endLine(): ServerSentEvent | undefined {
    const line = this.#line;
    this.#line = '';
    if (line === '') return this.#endEvent();
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    this.#field(name, value);
    return undefined;
  }

  #field(name: string, value: string): void {
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#type = value;
    else if (name === 'id' && !value.includes('\0')) this.lastEventId = value === '' ? undefined : value;
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
  }

  #endEvent(): ServerSentEvent | undefined {
    const event = { type: this.#type || 'message', data: this.#data.join('\n') };
    const isEvent = this.#data.length > 0;
    this.#type = '';
    this.#data = [];
    this.#length = 0;
    return isEvent ? event : undefined;
  }
}
