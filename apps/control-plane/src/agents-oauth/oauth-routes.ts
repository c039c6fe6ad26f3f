import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { html } from '../pages/html.ts';
import { pageHeaders, renderPage } from '../pages/render-page.ts';
import type { AuthorizationServer } from './authorization-server.service.ts';
import { type LimitedEndpoint, type LimitSettings, type MetLimit, OAuthLimits } from './oauth-limits.ts';
import { unavailableAnswer } from './oauth-unavailable.ts';
import { oauthPaths } from './provider-configuration.ts';

interface Route {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly limit?: LimitedEndpoint;
  /** Where clients of MCP 2025-03-26 look that know no metadata: at the root. */
  readonly alias?: string;
}

const routes: readonly Route[] = [
  { method: 'GET', url: '/.well-known/oauth-authorization-server' },
  { method: 'GET', url: '/.well-known/openid-configuration' },
  { method: 'GET', url: oauthPaths.jwks },
  { method: 'GET', url: oauthPaths.authorization, limit: 'authorize', alias: '/authorize' },
  { method: 'GET', url: `${oauthPaths.authorization}/:uid` },
  { method: 'POST', url: oauthPaths.pushed_authorization_request, limit: 'authorize' },
  { method: 'POST', url: oauthPaths.token, limit: 'token', alias: '/token' },
  { method: 'POST', url: oauthPaths.revocation, limit: 'token' },
  { method: 'POST', url: oauthPaths.introspection, limit: 'token' },
  { method: 'POST', url: oauthPaths.registration, limit: 'register', alias: '/register' },
];

/** For what is data, or a redirect; pages have their own. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

/**
 * The authorization server's own routes. They belong to the library from the first byte of the body on: nothing of the REST API
 * (its guard, its JSON, its idempotency, its problems) touches them.
 */
export function serveOAuth(instance: FastifyInstance, server: AuthorizationServer, settings: LimitSettings): void {
  const limits = new OAuthLimits(settings);
  void instance.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    // The library reads bodies by itself, up to 56 KiB.
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    for (const { method, url, limit, alias } of routes) {
      const serve = (target?: string) => async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
        const met = limit === undefined || request.method === 'OPTIONS' ? undefined : limits.count(limit, request.ip);
        const isBrowser = limit === 'authorize' && method === 'GET';
        if (met !== undefined) return refuse(reply, met, isBrowser);
        if (!(await server.isReady())) return refuse(reply, undefined, isBrowser);
        if (target !== undefined) request.raw.url = `${target}${/\?.*/s.exec(request.raw.url ?? '')?.[0] ?? ''}`;
        await handOver(request, reply, server);
      };
      const methods = method === 'GET' ? ['GET', 'HEAD', 'OPTIONS'] : ['POST', 'OPTIONS'];
      scope.route({ method: methods, url, handler: serve() });
      if (alias !== undefined) scope.route({ method: methods, url: alias, handler: serve(url) });
    }
    done();
  });
}

async function handOver(request: FastifyRequest, reply: FastifyReply, server: AuthorizationServer): Promise<void> {
  // What hooks have set so far goes out with the library's answer.
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), 'content-security-policy': dataPolicy })) if (value !== undefined) reply.raw.setHeader(name, value);
  reply.hijack();
  await server.handle(request.raw, reply.raw);
}

/** Before the library has read anything: a limit, or the keys are away. A browser gets a page, a program what programs understand. */
function refuse(reply: FastifyReply, met: MetLimit | undefined, isBrowser: boolean): void {
  void reply.status(met ? 429 : 503).header('Retry-After', String(met?.retryAfterSeconds ?? 5));
  if (!isBrowser) return void reply.header('Cache-Control', 'no-store').send({ ...unavailableAnswer, ...(met && { error_description: met.description }) });
  const text = met ? `There were ${met.description}. Wait a minute and load this page again.` : 'The gateway cannot answer at the moment. Load this page again in a few seconds.';
  return void reply.headers(pageHeaders()).send(renderPage({ title: 'Not right now', body: html`<p>${text}</p>` }));
}
