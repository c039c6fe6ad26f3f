import type { IncomingMessage } from 'node:http';
import { readTraceparent, type Span, type Tracer } from '@gatehouse/service-runtime';
import type { InternalRoute } from '../health/internal-server.ts';

export interface AnsweredRequest {
  readonly method: string;
  /** As it is written down, with names in the place of ids. */
  readonly route: string;
  readonly status: number;
  readonly elapsedMs: number;
  readonly traceparent: string | string[] | undefined;
}

/** What a request was, by OpenTelemetry's conventions for HTTP: never its path, which has ids in it, nor its query. @returns the span, where it is kept */
export function spanOfRequest(tracer: Tracer, { method, route, status, elapsedMs, traceparent }: AnsweredRequest): Span | undefined {
  const now = tracer.now();
  const span = tracer.enter(readTraceparent(typeof traceparent === 'string' ? traceparent : undefined), 'server', `${method} ${route}`, now - elapsedMs);
  span.set('http.request.method', method);
  span.set('http.route', route);
  span.set('http.response.status_code', status);
  // What a client did wrong is no failure of ours (OpenTelemetry, HTTP conventions).
  if (status >= 500) span.fail(String(status));
  span.end(now);
  return span.isSampled ? span : undefined;
}

/** A route of the internal port that spans are made of, where there are any. */
export function tracedRoute(tracer: Tracer | undefined, path: string, route: InternalRoute): InternalRoute {
  if (tracer === undefined) return route;
  return async (request: IncomingMessage) => {
    const startMs = tracer.now();
    const answer = await route(request);
    spanOfRequest(tracer, { method: request.method ?? '', route: path, status: answer.status, elapsedMs: tracer.now() - startMs, traceparent: request.headers['traceparent'] });
    return answer;
  };
}
