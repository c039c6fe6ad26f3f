import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '@gatehouse/errors';
import type { IncomingRequest } from '../pipeline/request.ts';

/** A request of `node:http`, as the pipeline sees it. */
export class NodeRequest implements IncomingRequest {
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(message: IncomingMessage, response: ServerResponse) {
    this.#message = message;
    this.#response = response;
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

  readBody(limitBytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const message = this.#message;
      // Whoever it was may have left while the gateway found out: what was emitted then is not emitted again.
      if (message.destroyed) return reject(new GatewayError('caller_disconnected'));
      const chunks: Buffer[] = [];
      let bytes = 0;
      let ended = false;
      message.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= limitBytes) chunks.push(chunk);
        else {
          message.pause();
          chunks.length = 0;
          reject(new GatewayError('body_too_large'));
        }
      });
      message.on('end', () => {
        ended = true;
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
      });
      // 'close' follows 'end' too: an error and its stack are made only where the request broke off.
      const onGone = (): void => void (ended || reject(new GatewayError('caller_disconnected')));
      message.on('error', onGone);
      message.on('close', onGone);
    });
  }

  onDisconnect(listener: () => void): void {
    const response = this.#response;
    const onClose = (): void => void (response.writableFinished || listener());
    if (response.destroyed) onClose();
    else response.on('close', onClose);
  }
}
