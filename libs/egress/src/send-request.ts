import { buffer } from 'node:stream/consumers';
import { GatewayError } from '@gatehouse/errors';
import type { Dispatcher } from 'undici';
import type { ConnectOptions, OriginPools } from './origin-pools.ts';
import { requestHead } from './request-head.ts';
import { toUpstreamError } from './upstream-error.ts';

export interface RequestTimeouts {
  /** To the first byte of the answer; 30 seconds when absent. */
  readonly headersMs?: number;
  /** Between two pieces of the answer; 30 seconds when absent. */
  readonly bodyMs?: number;
  /** For the whole request, connecting included; 30 seconds when absent. */
  readonly totalMs?: number;
}

export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array;
  readonly connect?: ConnectOptions;
  readonly timeouts?: RequestTimeouts;
  readonly signal?: AbortSignal;
  /** 1 MiB when absent. */
  readonly maxResponseBytes?: number;
}

export interface BufferedResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/**
 * One request whose answer fits in memory, for what is off the data path: token endpoints, metadata, key sets, imports.
 * Redirects are not followed: a 3xx is returned as it is.
 * @throws GatewayError `upstream_unreachable`, `upstream_timeout`, `upstream_failed`, `upstream_address_refused` or `upstream_circuit_open`;
 * the signal's own reason where that was aborted.
 */
export async function sendRequest(pools: OriginPools, request: OutgoingRequest): Promise<BufferedResponse> {
  const { method, url, headers = [], body, connect, timeouts = {}, signal, maxResponseBytes = 1_048_576 } = request;
  const overall = AbortSignal.timeout(timeouts.totalMs ?? 30_000);
  try {
    const options = {
      method,
      path: url.pathname + url.search,
      headers: headers.flatMap(([name, value]) => [name, value]),
      body: body ?? null,
      headersTimeout: timeouts.headersMs ?? 30_000,
      bodyTimeout: timeouts.bodyMs ?? 30_000,
      signal: signal ? AbortSignal.any([signal, overall]) : overall,
    };
    const response = await requestHead(pools, url.origin, connect, options, signal);
    return {
      status: response.statusCode,
      headers: toHeaders(response.headers),
      body: await buffer(readBounded(response.body, maxResponseBytes)),
    };
  } catch (error) {
    signal?.throwIfAborted();
    throw toUpstreamError(error);
  }
}

/**
 * The pieces of an answer up to a number of bytes.
 * @throws GatewayError as `sendRequest` does.
 */
export async function* readBounded(body: AsyncIterable<Buffer>, maxBytes: number, signal?: AbortSignal): AsyncGenerator<Buffer, void> {
  let length = 0;
  try {
    // Leaving the loop early destroys the stream, and with it the connection.
    for await (const chunk of body) {
      length += chunk.length;
      if (length > maxBytes) throw new GatewayError('upstream_failed', { detail: `the answer is larger than ${maxBytes} bytes` });
      yield chunk;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw toUpstreamError(error);
  }
}

export function toHeaders(raw: Dispatcher.ResponseData['headers']): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    for (const item of Array.isArray(value) ? value : [value ?? '']) headers.append(name, item);
  }
  return headers;
}
