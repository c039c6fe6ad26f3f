import { GatewayError } from '@gatehouse/errors';
import { Injectable } from '@nestjs/common';
import type { ClientSource, ConnectionOwner, OwnerClient, OwnerKind } from './connection.ts';

/** Us as the client of whatever tokens are of. Each kind of owner says how, once, when the process starts. */
@Injectable()
export class ConnectionClients {
  readonly #sources = new Map<OwnerKind, ClientSource>();

  provide(kind: OwnerKind, source: ClientSource): void {
    this.#sources.set(kind, source);
  }

  /** @throws GatewayError connection_misconfigured, provider_unavailable */
  of({ kind, id }: Pick<ConnectionOwner, 'kind' | 'id'>, clientId: string | null = null): Promise<OwnerClient> {
    const source = this.#sources.get(kind);
    if (!source) return Promise.reject(new GatewayError('connection_misconfigured', { detail: `nothing knows the client of owners of kind ${kind}` }));
    return source(id, clientId);
  }
}
