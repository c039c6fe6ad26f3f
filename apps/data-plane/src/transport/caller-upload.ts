import type { IncomingMessage } from 'node:http';
import { GatewayError } from '@gatehouse/errors';
import type { BodySink, UploadStream } from '../pipeline/request.ts';
import type { Deadlines, Slot, Timed } from './deadlines.ts';

export interface CallerUploadOptions {
  readonly announcedBytes: number | undefined;
  readonly maxBytes: number;
  /** How long a caller may be silent while more is wanted of it, and how long it may send less than `minBytesPerSecond`. */
  readonly idleMs: number;
  readonly deadlines: Deadlines;
  /** Called once, before anything is read. */
  readonly onTaken: () => void;
}

/** As slow as speech is; whoever sends less keeps a place at the upstream from others. */
const minBytesPerSecond = 1_024;

/**
 * A body that is passed on while it arrives: no more of it is here than somebody wants. One that breaks off, stalls or grows too
 * large fails, and never ends: what is half there must not be taken for the whole.
 */
export class CallerUpload implements UploadStream, Timed {
  readonly announcedBytes: number | undefined;
  readonly #message: IncomingMessage;
  readonly #options: CallerUploadOptions;
  #sink: BodySink | undefined;
  #bytes = 0;
  #isTaken = false;
  #isOver = false;
  #slot: Slot | undefined;
  /** What a caller is waited for yet: waiting takes from it, and what arrives gives it back. So a byte now and then is no way to stay. */
  #patienceMs: number;
  #waitingSince = 0;
  #onOver: (() => void) | undefined;

  constructor(message: IncomingMessage, options: CallerUploadOptions) {
    this.#message = message;
    this.#options = options;
    this.announcedBytes = options.announcedBytes;
    this.#patienceMs = options.idleMs;
  }

  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Whether somebody reads it now. */
  get isFlowing(): boolean {
    return this.#isTaken && !this.#isOver;
  }

  pipe(sink: BodySink): void {
    this.#isTaken = true;
    this.#sink = sink;
    const message = this.#message;
    // What was emitted before anyone listened is not emitted again.
    if (message.destroyed) return this.#fail(new GatewayError('caller_disconnected'));
    const { announcedBytes, maxBytes, onTaken } = this.#options;
    if (announcedBytes !== undefined && announcedBytes > maxBytes) return this.#fail(new GatewayError('body_too_large'));
    message.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onGone).on('close', this.#onGone);
    this.#expectMore();
    onTaken();
  }

  resume(): void {
    if (this.#isOver) return;
    this.#expectMore();
    this.#message.resume();
  }

  abort(): void {
    this.#over();
  }

  /** Its caller has its whole answer: who still reads it does so for nobody. */
  cancel(): void {
    this.#fail(new GatewayError('caller_disconnected', { detail: 'answered before it was sent' }));
  }

  expire(): void {
    this.#slot = undefined;
    this.#fail(new GatewayError('request_timeout', { detail: 'the body paused for too long, or came too slowly' }));
  }

  /** @param listener called once, when nothing more is read; at once where that is so */
  whenOver(listener: () => void): void {
    if (this.#isOver) listener();
    else this.#onOver = listener;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#options.maxBytes) return this.#fail(new GatewayError('body_too_large'));
    this.#stopTime();
    this.#patienceMs = Math.min(this.#options.idleMs, this.#patienceMs + (chunk.length * 1_000) / minBytesPerSecond);
    if (this.#sink?.write(chunk) === true) return this.#expectMore();
    // Whoever does not want more now is no fault of the caller's: its time stands still.
    if (!this.#isOver) this.#message.pause();
  };

  readonly #onEnd = (): void => {
    if (this.#over()) this.#sink?.end();
  };

  readonly #onGone = (): void => this.#fail(new GatewayError('caller_disconnected'));

  #fail(error: GatewayError): void {
    if (this.#over()) this.#sink?.fail(error);
  }

  #expectMore(): void {
    this.#stopTime();
    if (this.#isOver) return;
    this.#waitingSince = performance.now();
    this.#slot = this.#options.deadlines.add(this, this.#patienceMs);
  }

  #stopTime(): void {
    if (this.#slot === undefined) return;
    this.#options.deadlines.remove(this.#slot);
    this.#slot = undefined;
    this.#patienceMs -= performance.now() - this.#waitingSince;
  }

  /** @returns whether it was not over before */
  #over(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#stopTime();
    this.#message.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onGone).off('close', this.#onGone);
    this.#message.pause();
    this.#onOver?.();
    return true;
  }
}
