import type { ConnectOptions, OriginPools } from './origin-pools.ts';
import { readBounded, type RequestTimeouts, toHeaders } from './send-request.ts';
import { toUpstreamError } from './upstream-error.ts';

export interface GuardedFetchOptions {
  readonly connect?: ConnectOptions;
  /** `totalMs` counts for each request with its answer and has no default here, because answers may be streams. */
  readonly timeouts?: RequestTimeouts;
  /** 1 MiB per answer when absent. */
  readonly maxResponseBytes?: number;
  /** The last word on a request before it leaves: where credentials are put in. */
  readonly finish?: (target: RequestTarget) => RequestTarget;
}

export interface RequestTarget {
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn, sent as they are. */
  readonly headers: readonly string[];
}

export type GuardedFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * A `fetch` for libraries that take one (MCP, OAuth, key sets). Redirects are not followed, whatever `redirect` says; nothing
 * is added to the headers and no content encoding is undone. Fails with a `GatewayError`, also while the body is read.
 */
export function guardedFetch(pools: OriginPools, options: GuardedFetchOptions = {}): GuardedFetch {
  const { connect, timeouts = {}, maxResponseBytes = 1_048_576, finish = (target) => target } = options;
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const body = request.body ? new Uint8Array(await request.arrayBuffer()) : null;
    const { signal } = request;
    const target = finish({ path: url.pathname + url.search, headers: [...request.headers].flat() });
    try {
      const response = await pools.dispatcherFor(url.origin, connect).request({
        method: request.method,
        path: target.path,
        headers: [...target.headers],
        body,
        headersTimeout: timeouts.headersMs ?? 30_000,
        bodyTimeout: timeouts.bodyMs ?? 30_000,
        signal: timeouts.totalMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeouts.totalMs)]),
      });
      const stream = ReadableStream.from(readBounded(response.body, maxResponseBytes, signal));
      const mayHaveBody = ![204, 205, 304].includes(response.statusCode);
      if (!mayHaveBody) await stream.cancel();
      return new Response(mayHaveBody ? stream : null, { status: response.statusCode, headers: toHeaders(response.headers) });
    } catch (error) {
      signal.throwIfAborted();
      throw toUpstreamError(error);
    }
  };
}
