import type { Fetch } from '@gatehouse/oauth-client';
import { DiscoveryFailure } from './discovery-failure.ts';
import { type FoundAuthorizationServer, findAuthorizationServer } from './find-authorization-server.ts';
import { findResource } from './find-resource.ts';
import type { ReachedUpstream } from './reach-upstream.ts';

/** All that is known of an upstream's authorization. */
export interface DiscoveredUpstream {
  readonly resource: string;
  readonly server: FoundAuthorizationServer;
  readonly scopes: readonly string[];
  /** The upstream is where only the deployment's own setting allows connections, and so may be what it names. */
  readonly isNear: boolean;
}

/** How an upstream is reached, and what it names. */
export interface DiscoveryFetch {
  upstream(): ReachedUpstream;
  of(isNear: boolean): Fetch;
}

/** Of everything together: somebody waits before a page. */
const totalMs = 12_000;

/** From an upstream's URL to its authorization server (RFC 9728, RFC 8414). @throws DiscoveryFailure */
export async function discoverUpstream(upstreamUrl: string, transport: 'streamable-http' | 'sse', egress: DiscoveryFetch): Promise<DiscoveredUpstream> {
  const signal = AbortSignal.timeout(totalMs);
  const bounded = (fetch: Fetch): Fetch => (url, init) => fetch(url, { ...init, redirect: 'manual', signal });
  const upstream = egress.upstream();
  // It is asked first of all, and by then it is known where it is.
  const named = bounded((url, init) => egress.of(upstream.isNear())(url, init));
  const { resource, authorizationServers, scopes } = await findResource(upstreamUrl, transport, { upstream: bounded(upstream.fetch), named });
  const server = await firstUsable(authorizationServers, named);
  // Where it can be asked for, a refresh token is to be asked for (OpenID Connect Core section 11).
  const offline = server.scopes.includes('offline_access') ? ['offline_access'] : [];
  return { resource, server, scopes: [...new Set([...scopes, ...offline])], isNear: upstream.isNear() };
}

/** RFC 9728 section 7.6: which of several is the client's choice. */
async function firstUsable(issuers: readonly string[], fetch: Fetch): Promise<FoundAuthorizationServer> {
  let failure: DiscoveryFailure | undefined;
  for (const issuer of issuers) {
    try {
      return await findAuthorizationServer(issuer, fetch);
    } catch (error) {
      if (!(error instanceof DiscoveryFailure)) throw error;
      failure ??= error;
    }
  }
  throw failure ?? new DiscoveryFailure('the upstream names no authorization server');
}
