import type { Dispatcher } from 'undici';
import type { ConnectOptions, OriginPools } from './origin-pools.ts';
import { RedirectError } from './redirect-error.ts';
import { isRedirect, type RedirectAnswer, redirectBody, redirectTarget } from './redirect-target.ts';
import { requestHead } from './request-head.ts';
import { readBounded, type RequestTimeouts, toHeaders } from './send-request.ts';
import { toUpstreamError } from './upstream-error.ts';

export interface GuardedFetchOptions {
  readonly connect?: ConnectOptions;
  /** `totalMs` counts for each request with its redirects and its answer, and has no default here, because answers may be streams. */
  readonly timeouts?: RequestTimeouts;
  /** 1 MiB per answer when absent. */
  readonly maxResponseBytes?: number;
  /** The configured URL: from its origin redirects are followed in its scope, and refused beyond. Absent, a 3xx is returned as it is. */
  readonly redirectScope?: string;
  /** The last word on a request before it leaves, each time that it does: where credentials are put in. */
  readonly finish?: (target: UnfinishedRequest) => RequestTarget;
}

export interface RequestTarget {
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn, sent as they are. */
  readonly headers: readonly string[];
}

/** With what stays as it is. */
export interface UnfinishedRequest extends RequestTarget {
  readonly method: string;
  readonly origin: string;
  readonly body: Uint8Array | undefined;
}

export type GuardedFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * A `fetch` for libraries that take one (MCP, OAuth, key sets). Redirects are followed within `redirectScope` only, whatever
 * `redirect` says; nothing is added to the headers and no content encoding is undone. Fails with a `GatewayError`, also while
 * the body is read; a redirect out of scope is a `RedirectError`.
 */
export function guardedFetch(pools: OriginPools, options: GuardedFetchOptions = {}): GuardedFetch {
  const { connect, timeouts = {}, maxResponseBytes = 1_048_576, finish = (target) => target, redirectScope } = options;
  const scopeOrigin = redirectScope === undefined ? undefined : new URL(redirectScope).origin;
  return async (input, init) => {
    const request = new Request(input, init);
    const { method, signal } = request;
    const { origin, pathname, search } = new URL(request.url);
    const body = request.body ? new Uint8Array(await request.arrayBuffer()) : null;
    const headers = [...request.headers].flat();
    const bounded = timeouts.totalMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeouts.totalMs)]);
    const send = (path: string): Promise<Dispatcher.ResponseData> => {
      const target = finish({ method, origin, path, headers, body: body ?? undefined });
      const { headersMs: headersTimeout = 30_000, bodyMs: bodyTimeout = 30_000 } = timeouts;
      return requestHead(pools, origin, connect, { method, path: target.path, headers: [...target.headers], body, headersTimeout, bodyTimeout, signal: bounded }, signal);
    };
    try {
      const path = pathname + search;
      const first = await send(path);
      const response = redirectScope === undefined || scopeOrigin !== origin ? first : await followRedirects(first, { base: redirectScope, method, path }, send);
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

type Redirected = Pick<RedirectAnswer, 'base' | 'method' | 'path'>;

async function followRedirects(first: Dispatcher.ResponseData, { base, method, path: firstPath }: Redirected, send: (path: string) => Promise<Dispatcher.ResponseData>) {
  let response = first;
  let path = firstPath;
  for (let hops = 0; isRedirect(response.statusCode); hops += 1) {
    const { statusCode: status, headers, body } = response;
    const target = redirectTarget({ base, method, path, status, location: headers['location'] }, hops);
    // Read away, so that the connection can be used again.
    await body.dump({ limit: redirectBody.maxBytes, signal: AbortSignal.timeout(redirectBody.maxMs) }).catch(() => undefined);
    if ('refused' in target) throw new RedirectError({ reason: target.refused, origin: target.origin, method, status });
    path = target.follow.path;
    response = await send(path);
  }
  return response;
}
