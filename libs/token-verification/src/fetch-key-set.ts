import { hash } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { type PublicKeys, readPublicKeys } from './public-keys.ts';

/** A `fetch` that guards addresses, bounds time and size of answers (`keySetLimits`) and follows no redirects. */
export type FetchKeySet = (url: string, init: { readonly headers: Record<string, string>; readonly redirect: 'manual'; readonly signal: AbortSignal }) => Promise<Response>;

/** What the injected `fetch` must hold answers to. */
export const keySetLimits = { timeouts: { headersMs: 5_000, bodyMs: 5_000, totalMs: 5_000 }, maxResponseBytes: 262_144 } as const;

/** What a key set's URL answered, or why that is nothing to verify tokens with. */
export type FetchedKeySet =
  | { readonly keys: PublicKeys; /** Of the answer: the same answer is the same keys. */ readonly digest: string; /** How long they may be used unasked. */ readonly lifetimeMs: number }
  | { readonly problem: 'unreachable' | 'address_refused' | 'not_a_key_set'; readonly cause: unknown };

const request = {
  // RFC 7517 section 8.5.2; many issuers know only JSON.
  headers: { accept: 'application/jwk-set+json, application/json', 'accept-encoding': 'identity', 'user-agent': 'gatehouse' },
  redirect: 'manual',
} as const;

/** Asks once. Fails only in the ways that its result names. */
export async function fetchKeySet(fetch: FetchKeySet, url: string, signal: AbortSignal): Promise<FetchedKeySet> {
  try {
    const response = await fetch(url, { ...request, signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { problem: 'unreachable', cause: new Error(`HTTP ${response.status}`) };
    }
    const text = await response.text();
    const keys = readKeys(text);
    if (keys === undefined) return { problem: 'not_a_key_set', cause: new Error('the answer is no JSON Web Key Set') };
    return { keys, digest: hash('sha256', text, 'base64'), lifetimeMs: lifetimeOf(response.headers.get('cache-control')) };
  } catch (cause) {
    const isRefused = cause instanceof GatewayError && cause.code === 'upstream_address_refused';
    return { problem: isRefused ? 'address_refused' : 'unreachable', cause };
  }
}

function readKeys(text: string): PublicKeys | undefined {
  try {
    return readPublicKeys(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const minutes = 60_000;

/** What `Cache-Control` says (RFC 9111 section 5.2.2.1), within bounds: a removed key stays for an hour at most. */
export function lifetimeOf(cacheControl: string | null): number {
  if (cacheControl === null) return 10 * minutes;
  if (/(^|[\s,])no-(store|cache)($|[\s,=])/i.test(cacheControl)) return minutes;
  const seconds = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(cacheControl)?.[1];
  return seconds === undefined ? 10 * minutes : Math.min(60 * minutes, Math.max(minutes, Number(seconds) * 1000));
}
