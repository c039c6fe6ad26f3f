import { GatewayError } from '@gatehouse/errors';
import type { IncomingRequest } from '../../pipeline/request.ts';
import type { RelayedContent } from './peer-seals.ts';

/** A caller's request that came by way of another data plane. The pipeline treats it as any other; it is not passed on again. */
export class RelayedRequest implements IncomingRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly wasCounted: boolean = true;
  readonly #body: Buffer;
  readonly #carrier: IncomingRequest;

  /** @param carrier the other data plane's request: it goes away with the caller */
  constructor({ method, target, headers, body }: RelayedContent, carrier: IncomingRequest) {
    this.method = method;
    this.target = target;
    this.headers = headers;
    this.#body = body;
    this.#carrier = carrier;
  }

  readBody(limitBytes: number): Promise<Buffer> {
    return this.#body.length <= limitBytes ? Promise.resolve(this.#body) : Promise.reject(new GatewayError('body_too_large'));
  }

  onDisconnect(listener: () => void): void {
    this.#carrier.onDisconnect(listener);
  }
}
