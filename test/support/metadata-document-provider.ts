import { createServer } from 'node:http';
import Provider, { interactionPolicy } from 'oidc-provider';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface MetadataDocumentProvider {
  readonly issuer: string;
  /** Of something that it protects, and that says so. */
  readonly upstreamUrl: string;
  /** Whose metadata was read, in order. */
  readonly documents: readonly string[];
  close(): Promise<void>;
}

/** An authorization server that nobody registers at: clients are known by the URL of their metadata. It lets everyone in as `someone`. */
export async function startMetadataDocumentProvider(fetchDocument: (url: URL) => Promise<Response>): Promise<MetadataDocumentProvider> {
  const server = createServer();
  const origin = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const upstreamUrl = `${origin}/mcp`;
  const documents: string[] = [];
  // `prompt=consent` is taken, and nobody is asked.
  const policy = interactionPolicy.base();
  policy.get('consent')?.checks.clear();
  const provider = new Provider(origin, {
    scopes: ['openid', 'offline_access', 'read'],
    fetch: (input) => {
      const url = new URL(input instanceof Request ? input.url : input);
      documents.push(url.href);
      return fetchDocument(url);
    },
    interactions: { policy, url: (_context, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
      revocation: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: (_context, resource) => ({ scope: 'read', audience: resource, accessTokenFormat: 'opaque' }), useGrantedResource: () => true },
    },
    pkce: { required: () => true },
    clientAuthMethods: ['none', 'client_secret_post'],
    cookies: { keys: ['a-key-for-tests'] },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    loadExistingGrant: async (context) => {
      const grant = new context.oidc.provider.Grant({ clientId: context.oidc.client?.clientId, accountId: context.oidc.session?.accountId });
      grant.addOIDCScope('openid offline_access');
      grant.addResourceScope(upstreamUrl, 'read');
      await grant.save();
      return grant;
    },
  });
  const handle = provider.callback();
  server.on('request', (request, response) => {
    const { pathname } = new URL(request.url ?? '/', origin);
    if (pathname === '/mcp') return void response.writeHead(401, { 'WWW-Authenticate': `Bearer resource_metadata="${origin}/resource"` }).end();
    if (pathname === '/resource') return void response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ resource: upstreamUrl, authorization_servers: [origin], scopes_supported: ['read'] }));
    if (pathname.startsWith('/interaction/')) return void provider.interactionFinished(request, response, { login: { accountId: 'someone' } });
    return void handle(request, response);
  });
  return { issuer: origin, upstreamUrl, documents, close: () => closeHttpServer(server) };
}
