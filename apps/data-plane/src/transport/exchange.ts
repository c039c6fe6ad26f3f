import { type Attempt, toUpstreamError } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import type { Dispatcher } from 'undici';
import type { BodySink, StreamedBody, UpstreamResponse } from '../pipeline/request.ts';
import type { Deadlines, Slot, Timed } from './deadlines.ts';
import type { Receiver } from './follow-redirects.ts';

/** What may wait here before anyone reads it: a small answer is usually complete before the pipeline has looked at its head. */
const maxUnreadBytes = 65_536;

/**
 * One request and its response: undici's handler on one side, the body on the other. It is over once: ended, failed, or given
 * up before it began.
 */
export class Exchange implements Dispatcher.DispatchHandler, StreamedBody, Timed {
  readonly #receiver: Receiver;
  readonly #deadlines: Deadlines;
  readonly #onOver: () => void;
  #attempt: Attempt | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #giveUp: (() => void) | undefined;
  #slot: Slot | undefined;
  #hasBegun = false;
  #isAnswered = false;
  #isOver = false;
  #aborted: GatewayError | undefined;
  #failure: GatewayError | undefined;
  #sink: BodySink | undefined;
  #unread: Buffer[] = [];
  #unreadBytes = 0;

  /** @param onOver called once for a request that had its turn */
  constructor(receiver: Receiver, deadlines: Deadlines, onOver: () => void) {
    this.#receiver = receiver;
    this.#deadlines = deadlines;
    this.#onOver = onOver;
  }

  /** It is not its turn yet. */
  wait(giveUp: () => void, timeoutMs: number): void {
    this.#giveUp = giveUp;
    this.#expireIn(timeoutMs);
  }

  /** @param attempt is told what comes of it */
  begin(attempt: Attempt | undefined): void {
    this.#hasBegun = true;
    this.#attempt = attempt;
    this.#stopTime();
  }

  /** Whether it failed before it was sent. */
  get isRefused(): boolean {
    return this.#isOver && this.#controller === undefined;
  }

  /** Whether it is still in undici's hands without a connection. */
  get isQueued(): boolean {
    return this.#controller === undefined && !this.#isOver;
  }

  /** undici's own limits count from when there is a connection; until then this one does. */
  expectStart(withinMs: number): void {
    this.#expireIn(withinMs);
  }

  expire(): void {
    this.#slot = undefined;
    const reason = this.#hasBegun
      ? new GatewayError('upstream_timeout', { detail: 'no connection in time' })
      : new GatewayError('upstream_busy', { detail: 'no connection became free in time' });
    this.abort(reason);
  }

  fail(thrown: unknown): void {
    const error = toUpstreamError(thrown);
    // Before its place is free: what starts next must find the circuit as this leaves it.
    this.#attempt?.failed(error);
    this.#over();
    if (!this.#isAnswered) this.#receiver.onError(error);
    else if (this.#sink !== undefined) this.#sink.fail(error);
    else this.#failure = error;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#attempt?.connected();
    this.#stopTime();
    if (this.#aborted) controller.abort(this.#aborted);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: UpstreamResponse['headers']): void {
    if (status >= 100 && status < 200) return;
    this.#isAnswered = true;
    this.#attempt?.succeeded();
    this.#receiver.onResponse({ status, headers, body: this });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#sink !== undefined) {
      if (!this.#sink.write(chunk)) controller.pause();
      return;
    }
    this.#unread.push(chunk);
    this.#unreadBytes += chunk.length;
    if (this.#unreadBytes > maxUnreadBytes) controller.pause();
  }

  onResponseEnd(): void {
    this.#over();
    this.#sink?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, thrown: Error): void {
    this.fail(thrown);
  }

  pipe(sink: BodySink): void {
    this.#sink = sink;
    const unread = this.#unread;
    this.#unread = [];
    let wantsMore = true;
    for (const chunk of unread) wantsMore = sink.write(chunk);
    if (this.#failure !== undefined) sink.fail(this.#failure);
    else if (this.#isOver) sink.end();
    else if (wantsMore) this.resume();
    else this.#controller?.pause();
  }

  resume(): void {
    if (this.#controller?.paused) this.#controller.resume();
  }

  abort(reason = new GatewayError('upstream_failed', { detail: 'the exchange was ended by the gateway' })): void {
    if (this.#aborted || this.#isOver) return;
    this.#aborted = reason;
    // Whoever waits hears of it now; undici, when it comes to this request.
    this.#attempt?.failed(reason);
    if (!this.#isAnswered) this.#receiver.onError(reason);
    this.#controller?.abort(reason);
    if (this.#controller !== undefined) return;
    this.#stopTime();
    // One that undici has and never started must not keep its place until it does.
    if (this.#hasBegun) this.#over();
    else this.#giveUp?.();
  }

  #expireIn(ms: number): void {
    this.#stopTime();
    this.#slot = this.#deadlines.add(this, ms);
  }

  #stopTime(): void {
    if (this.#slot !== undefined) this.#deadlines.remove(this.#slot);
    this.#slot = undefined;
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTime();
    this.#onOver();
  }
}
