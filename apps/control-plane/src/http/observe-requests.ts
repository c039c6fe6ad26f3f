import type { Logger } from '@gatehouse/service-runtime';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../health/metrics.ts';

/** One line and one measurement per request. Of the URL only the path: what is in a query is nobody's business. */
export function observeRequests(instance: FastifyInstance, logger: Logger, metrics: Metrics): void {
  instance.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched';
    const labels = { route, method: request.method, status: reply.statusCode };
    metrics.requests.observe(labels, reply.elapsedTime / 1_000);
    const path = request.url.split('?', 1)[0];
    logger.info({ requestId: request.id, ...labels, path, durationMs: Math.round(reply.elapsedTime * 10) / 10 }, 'request');
    done();
  });
}
