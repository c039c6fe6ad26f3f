import { GatewayError } from '@gatehouse/errors';
import type { Fetch } from '@gatehouse/oauth-client';
import { DiscoveryFailure } from './discovery-failure.ts';

/** A JSON document, or undefined where there is none: redirects are not followed. @throws DiscoveryFailure */
export async function fetchDocument(url: URL, fetch: Fetch): Promise<unknown> {
  const response = await reaching(url, () => fetch(url.href, { headers: { Accept: 'application/json' } }));
  if (!response.ok) {
    await response.body?.cancel();
    if (response.status >= 500 || response.status === 429) throw new DiscoveryFailure(`${url.href} answered ${response.status}`, { isPassing: true });
    return undefined;
  }
  const text = await reaching(url, () => response.text());
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Failures of the network as such, and addresses that may not be connected to as what they are. */
export async function reaching<T>(url: URL, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof DiscoveryFailure) throw cause;
    const isRefused = cause instanceof GatewayError && cause.code === 'upstream_address_refused';
    throw new DiscoveryFailure(isRefused ? `the gateway may not connect to ${url.host}` : `${url.host} cannot be reached`, { isPassing: !isRefused, cause });
  }
}
