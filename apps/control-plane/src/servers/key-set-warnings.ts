import { type AddressGuard, guardedFetch, OriginPools } from '@gatehouse/egress';
import type { ReadableServer, Warning } from '@gatehouse/gateway-config';
import { fetchKeySet, type FetchedKeySet, keySetLimits } from '@gatehouse/token-verification';

/** Someone waits for the answer to a change; data planes take more time. */
const maxMs = 3_000;

/**
 * A server with warnings if its key set cannot be used at the moment. Not a problem of the document: the issuer may be away, or
 * be reached by the data planes only. What it answered is not told, so that nobody can read internal addresses this way.
 */
export async function withKeySetWarnings(server: ReadableServer, guard: AddressGuard): Promise<ReadableServer> {
  const url = server.agentAuth.type === 'passthrough' ? server.agentAuth.jwt?.jwksUrl : undefined;
  if (url === undefined) return server;
  const warning = warningOf(await fetchOnce(url, guard));
  return warning === undefined ? server : { ...server, warnings: [...server.warnings, warning] };
}

async function fetchOnce(url: string, guard: AddressGuard): Promise<FetchedKeySet> {
  const pools = new OriginPools({ guard });
  try {
    const timeouts = { headersMs: maxMs, bodyMs: maxMs, totalMs: maxMs };
    return await fetchKeySet(guardedFetch(pools, { ...keySetLimits, timeouts }), url, AbortSignal.timeout(maxMs));
  } finally {
    await pools.destroy();
  }
}

function warningOf(fetched: FetchedKeySet): Warning | undefined {
  if (!('problem' in fetched)) return fetched.keys.size > 0 ? undefined : warning('jwks_invalid', 'The key set holds no key that tokens can be verified with.');
  switch (fetched.problem) {
    case 'unreachable':
      return warning('jwks_unreachable', 'The key set could not be fetched: callers are refused until a data plane can.');
    case 'address_refused':
      return warning('jwks_unreachable', 'The key set could not be fetched: this deployment does not allow connections to its address.');
    case 'not_a_key_set':
      return warning('jwks_invalid', 'What this URL answers is not a JSON Web Key Set.');
  }
}

const warning = (code: string, detail: string): Warning => ({ code, pointer: '/agentAuth/jwt/jwksUrl', detail });
