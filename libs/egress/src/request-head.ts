import { GatewayError } from '@gatehouse/errors';
import type { Dispatcher } from 'undici';
import type { ConnectOptions, OriginPools } from './origin-pools.ts';
import { toUpstreamError } from './upstream-error.ts';

/**
 * Sends a request and gives its answer as soon as the head is there, past the circuit of its origin: no
 * server is named, so that only connections count.
 * @param askedBy the signal of whoever asked: giving up is no failure of the origin
 * @throws what undici throws; GatewayError upstream_circuit_open
 */
export async function requestHead(
  pools: OriginPools,
  origin: string,
  connect: ConnectOptions | undefined,
  options: Dispatcher.RequestOptions,
  askedBy?: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const attempt = pools.circuits?.begin({ key: pools.keyOf(origin, connect), origin });
  try {
    const response = await pools.dispatcherFor(origin, connect).request(options);
    attempt?.succeeded();
    return response;
  } catch (error) {
    attempt?.failed(askedBy?.aborted ? new GatewayError('caller_disconnected') : toUpstreamError(error));
    throw error;
  }
}
