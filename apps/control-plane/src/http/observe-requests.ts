import type { Logger, Tracer } from '@gatehouse/service-runtime';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../health/metrics.ts';
import { spanOfRequest } from './request-spans.ts';

/** One line and one measurement per request, and a span where there is tracing. Of the URL only the path: what is in a query is nobody's business. */
export function observeRequests(instance: FastifyInstance, logger: Logger, metrics: Metrics, tracer: Tracer | undefined): void {
  instance.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched';
    const labels = { route, method: request.method, status: reply.statusCode };
    metrics.requests.observe(labels, reply.elapsedTime / 1_000);
    // What matches no route is anybody's, and says nothing.
    const span = tracer && request.routeOptions.url !== undefined ? spanOfRequest(tracer, { ...labels, elapsedMs: reply.elapsedTime, traceparent: request.headers['traceparent'] }) : undefined;
    const path = request.url.split('?', 1)[0];
    logger.info({ requestId: request.id, ...labels, path, durationMs: Math.round(reply.elapsedTime * 10) / 10, ...(span && { traceId: span.traceId, spanId: span.spanId }) }, 'request');
    done();
  });
}
