import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '@gatehouse/errors';
import type { IncomingRequest, Upload } from '../pipeline/request.ts';
import { CallerUpload } from './caller-upload.ts';
import type { Deadlines, Slot } from './deadlines.ts';

export interface NodeRequestOptions {
  /** Where bodies that are slow in coming are given up. */
  readonly deadlines: Deadlines;
  /** For a body that is read as a whole, and between two pieces of one that is not. */
  readonly bodyTimeoutMs: number;
}

/** Of a request that was answered before it was read, at most. */
const maxRestBytes = 4_194_304;
const maxRestMs = 5_000;

/** A request of `node:http`, as the pipeline sees it. */
export class NodeRequest implements IncomingRequest {
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: NodeRequestOptions;
  /** Whether the caller keeps its body back until it is told to go on (RFC 9110 section 10.1.1). Where it never is, Node ends the connection. */
  #waitsToContinue: boolean;
  #upload: CallerUpload | undefined;

  constructor(message: IncomingMessage, response: ServerResponse, options: NodeRequestOptions, waitsToContinue = false) {
    this.#message = message;
    this.#response = response;
    this.#options = options;
    this.#waitsToContinue = waitsToContinue;
  }

  get method(): string {
    return this.#message.method ?? '';
  }

  get target(): string {
    return this.#message.url ?? '';
  }

  get headers(): readonly string[] {
    return this.#message.rawHeaders;
  }

  get upload(): Upload {
    const announcedBytes = announcedBytesOf(this.#message);
    return { announcedBytes, stream: (maxBytes) => this.#stream(announcedBytes, maxBytes) };
  }

  readBody(limitBytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const message = this.#message;
      // Whoever it was may have left while the gateway found out: what was emitted then is not emitted again.
      if (message.destroyed) return reject(new GatewayError('caller_disconnected'));
      const chunks: Buffer[] = [];
      let bytes = 0;
      let ended = false;
      const onData = (chunk: Buffer): void => {
        bytes += chunk.length;
        if (bytes <= limitBytes) return void chunks.push(chunk);
        message.off('data', onData).pause();
        chunks.length = 0;
        reject(new GatewayError('body_too_large'));
      };
      message.on('data', onData);
      message.on('end', () => {
        ended = true;
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
      });
      // 'close' follows 'end' too: an error and its stack are made only where the request broke off.
      const onGone = (): void => void (ended || reject(new GatewayError('caller_disconnected')));
      message.on('error', onGone);
      message.on('close', onGone);
      // Mostly it has come with the head.
      if (!message.complete) this.#expectWhole(reject);
      this.#continue();
    });
  }

  onDisconnect(listener: () => void): void {
    const response = this.#response;
    const onClose = (): void => void (response.writableFinished || listener());
    if (response.destroyed) onClose();
    else response.on('close', onClose);
  }

  /** What nobody will read. Called when the answer has begun; one that is still passed on is, for as long as the answer lasts. */
  discardRest(): void {
    if (this.#message.complete) return;
    const upload = this.#upload;
    if (upload?.isFlowing !== true) return this.#readRest();
    upload.whenOver(() => this.#readRest());
    this.#response.on('finish', () => upload.cancel());
  }

  #stream(announcedBytes: number | undefined, maxBytes: number): CallerUpload {
    const { deadlines, bodyTimeoutMs: idleMs } = this.#options;
    return (this.#upload = new CallerUpload(this.#message, { announcedBytes, maxBytes, idleMs, deadlines, onTaken: () => this.#continue() }));
  }

  #expectWhole(reject: (error: GatewayError) => void): void {
    const { deadlines, bodyTimeoutMs } = this.#options;
    let slot: Slot | undefined = deadlines.add({ expire }, bodyTimeoutMs);
    function expire(): void {
      slot = undefined;
      reject(new GatewayError('request_timeout'));
    }
    this.#message.on('close', () => {
      if (slot !== undefined) deadlines.remove(slot);
    });
  }

  #continue(): void {
    if (this.#waitsToContinue) this.#response.writeContinue();
    this.#waitsToContinue = false;
  }

  /** What was not read of a request would be taken for the next one. A short rest is read away, a long one ends the connection. */
  #readRest(): void {
    const message = this.#message;
    if (message.complete) return void message.resume();
    const { socket } = message;
    let bytes = 0;
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxRestBytes) socket.destroy();
    });
    const timer = setTimeout(() => void (message.complete || socket.destroy()), maxRestMs).unref();
    message.on('close', () => clearTimeout(timer));
    message.resume();
  }
}

/** The parser has seen to it that it is one of the two, and said once. */
function announcedBytesOf({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined;
  return Number(headers['content-length'] ?? 0);
}
