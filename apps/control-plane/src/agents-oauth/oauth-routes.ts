import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuthorizationServer } from './authorization-server.service.ts';
import { oauthPaths } from './provider-configuration.ts';

/** Where clients of MCP 2025-03-26 look that know no metadata: at the root. */
const aliases: Readonly<Record<string, string>> = { '/authorize': oauthPaths.authorization, '/token': oauthPaths.token, '/register': oauthPaths.registration };

/** For what is data, or a redirect; pages have their own. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

const get = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration', oauthPaths.jwks, oauthPaths.authorization, `${oauthPaths.authorization}/:uid`, '/authorize'];
const post = [oauthPaths.token, oauthPaths.registration, oauthPaths.revocation, oauthPaths.introspection, oauthPaths.pushed_authorization_request, '/token', '/register'];

/**
 * The authorization server's own routes. They belong to the library from the first byte of the body on: nothing of the REST API
 * (its guard, its JSON, its idempotency, its problems) touches them.
 */
export function serveOAuth(instance: FastifyInstance, server: AuthorizationServer): void {
  void instance.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    // The library reads bodies by itself, up to 56 KiB.
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      const [path = '', query] = request.raw.url?.split(/\?(.*)/s) ?? [];
      request.raw.url = `${aliases[path] ?? path}${query === undefined ? '' : `?${query}`}`;
      // What hooks have set so far, security headers among it, goes out with the library's answer.
      for (const [name, value] of Object.entries({ ...reply.getHeaders(), 'content-security-policy': dataPolicy })) if (value !== undefined) reply.raw.setHeader(name, value);
      reply.hijack();
      await server.handle(request.raw, reply.raw);
    };
    for (const url of get) scope.route({ method: ['GET', 'HEAD', 'OPTIONS'], url, handler });
    for (const url of post) scope.route({ method: ['POST', 'OPTIONS'], url, handler });
    done();
  });
}
