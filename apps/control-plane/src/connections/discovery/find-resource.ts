import { plainMessage } from '@gatehouse/config-fields';
import type { Fetch } from '@gatehouse/oauth-client';
import { checkResourceAllowed, extractWWWAuthenticateParams } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { DiscoveryFailure } from './discovery-failure.ts';
import { fetchDocument, reaching } from './fetch-document.ts';

/** An upstream as OAuth's resource server. */
export interface ProtectedResource {
  /** RFC 8707: what tokens are to be for. */
  readonly resource: string;
  /** In the resource's order. */
  readonly authorizationServers: readonly string[];
  /** What to ask for: what the upstream's challenge names, else all that it knows. */
  readonly scopes: readonly string[];
}

export interface ResourceFetch {
  /** For the upstream itself, which an administrator named. */
  readonly upstream: Fetch;
  /** For what the upstream names. */
  readonly named: Fetch;
}

const scopeToken = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/);

/** RFC 9728 section 2. */
const resourceMetadata = z.object({
  resource: z.url(),
  authorization_servers: z.array(z.url({ protocol: /^https?$/ })).min(1).max(20),
  scopes_supported: z.array(scopeToken).max(200).optional().catch(undefined),
});

const wellKnown = '/.well-known/oauth-protected-resource';

/**
 * Asks an upstream who gives out its tokens, in the order of MCP's authorization specification: the document that its 401 names, or
 * those at the well-known URIs, of its path and of its root. One that has none is its own authorization server (as of 2025-03-26).
 * @throws DiscoveryFailure
 */
export async function findResource(upstreamUrl: string, transport: 'streamable-http' | 'sse', fetch: ResourceFetch): Promise<ProtectedResource> {
  const upstream = new URL(upstreamUrl);
  upstream.hash = '';
  const challenge = await challengeOf(upstream, transport, fetch.upstream);
  const challenged = (challenge.scope ?? '').split(' ').filter((scope) => scopeToken.safeParse(scope).success);
  for (const url of challenge.resourceMetadataUrl ? [challenge.resourceMetadataUrl] : wellKnownUris(upstream)) {
    const document = await fetchDocument(url, fetch.named);
    if (document === undefined) continue;
    const { resource, authorization_servers: authorizationServers, scopes_supported: supported = [] } = parse(document, url);
    // RFC 9728 section 3.3: a document about another resource is not to be used; whoever gets its tokens could use them here.
    if (!checkResourceAllowed({ requestedResource: upstream, configuredResource: resource })) throw new DiscoveryFailure(`the metadata at ${url.href} is of another resource, ${resource}`);
    return { resource, authorizationServers, scopes: challenged.length > 0 ? challenged : supported };
  }
  if (challenge.resourceMetadataUrl) throw new DiscoveryFailure(`there is no metadata at ${challenge.resourceMetadataUrl.href}, which the upstream names`);
  return { resource: upstream.href, authorizationServers: [new URL('/', upstream).href], scopes: challenged };
}

function parse(document: unknown, { href }: URL): z.output<typeof resourceMetadata> {
  const { success, data, error } = resourceMetadata.safeParse(document, { error: plainMessage });
  if (!success) throw new DiscoveryFailure(`the resource metadata at ${href} is not valid: ${error.issues[0]?.path.join('.')} ${error.issues[0]?.message}`);
  return data;
}

function wellKnownUris(upstream: URL): URL[] {
  const root = new URL(wellKnown, upstream);
  const path = upstream.pathname.replace(/\/$/, '');
  if (path === '') return [root];
  const own = new URL(`${wellKnown}${path}`, upstream);
  own.search = upstream.search;
  return [own, root];
}

/** What the upstream says to a request without a token. A ping opens no session. */
async function challengeOf(upstream: URL, transport: 'streamable-http' | 'sse', fetch: Fetch): Promise<ReturnType<typeof extractWWWAuthenticateParams>> {
  const init: RequestInit =
    transport === 'sse'
      ? { headers: { Accept: 'text/event-stream' } }
      : { method: 'POST', headers: { Accept: 'application/json, text/event-stream', 'Content-Type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }) };
  const response = await reaching(upstream, () => fetch(upstream.href, init));
  await response.body?.cancel();
  return response.status === 401 ? extractWWWAuthenticateParams(response) : {};
}
