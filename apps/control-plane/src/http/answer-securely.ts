import type { FastifyInstance } from 'fastify';

const everywhere = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'X-Frame-Options': 'DENY',
};

/** The API answers data and nothing else. */
const apiPolicy = "default-src 'none'; frame-ancestors 'none'";

/** Security headers on every answer, errors included. */
export function answerSecurely(instance: FastifyInstance): void {
  instance.addHook('onRequest', (request, reply, done) => {
    void reply.headers(everywhere);
    if (request.url.startsWith('/v1/')) void reply.headers({ 'Content-Security-Policy': apiPolicy, 'Cache-Control': 'no-store' });
    done();
  });
}
