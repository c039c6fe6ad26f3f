import { type AddressGuard, type GuardedFetch, guardedFetch, maxRedirects, OriginPools } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import { version } from '@gatehouse/service-runtime';
import { httpsRequired, isPlain, mayBePlain } from '../../apps/insecure-urls.ts';

export const maxSourceBytes = 20 * 1024 * 1024;
/** Someone waits for the answer to a change. */
export const sourceTimeouts = { headersMs: 15_000, bodyMs: 15_000, totalMs: 25_000 };

/**
 * The text of a description of an API, from wherever it is: nothing of a server's credentials goes there, so that redirects may
 * lead anywhere that the guard allows.
 * @param pointer of the URL in the document
 * @throws GatewayError validation_failed, which says why there is none
 */
export async function fetchSource(url: string, guard: AddressGuard, pointer: string): Promise<string> {
  const pools = new OriginPools({ guard });
  try {
    return await follow(guardedFetch(pools, { timeouts: sourceTimeouts, maxResponseBytes: maxSourceBytes }), url, guard, pointer);
  } catch (error) {
    throw unfetched(error, pointer);
  } finally {
    await pools.destroy();
  }
}

async function follow(fetch: GuardedFetch, first: string, guard: AddressGuard, pointer: string): Promise<string> {
  const signal = AbortSignal.timeout(sourceTimeouts.totalMs);
  const headers = { 'User-Agent': `gatehouse/${version}`, Accept: 'application/json, application/yaml, text/yaml, */*;q=0.5', 'Accept-Encoding': 'identity' };
  let url = new URL(first);
  for (let hops = 0; hops <= maxRedirects; hops += 1) {
    // Whoever is in between could put tools of their own into it.
    if (isPlain(url.href) && !(await mayBePlain(url.href, guard))) throw refused({ pointer, ...httpsRequired, ...(hops > 0 && { detail: `redirects to ${url.origin}, where it would be fetched without TLS` }) });
    const response = await fetch(url, { headers, signal });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return readText(response, url, pointer);
    await response.body?.cancel();
    if (!URL.canParse(location, url.href)) break;
    url = new URL(location, url);
    if (!/^https?:$/.test(url.protocol)) break;
    // RFC 9110 section 4.2.4: an error in a reference that others gave; and nobody's credentials are sent here.
    if (url.username !== '' || url.password !== '') throw refused({ pointer, detail: `redirects to ${url.origin} with a user name or a password`, code: 'fetch_failed' });
  }
  throw refused({ pointer, detail: 'answers with redirects that lead nowhere', code: 'fetch_failed' });
}

async function readText(response: Response, { origin }: URL, pointer: string): Promise<string> {
  if (response.ok) return response.text();
  await response.body?.cancel();
  throw refused({ pointer, detail: `answers HTTP ${response.status} (${origin})`, code: 'fetch_failed' });
}

function unfetched(error: unknown, pointer: string): GatewayError {
  if (error instanceof GatewayError && error.code === 'validation_failed') return error;
  if (error instanceof GatewayError && error.code !== 'internal') return refused({ pointer, detail: whyUnfetched(error), code: error.code });
  if (error instanceof DOMException && error.name === 'TimeoutError') return refused({ pointer, detail: 'did not answer completely in time', code: 'upstream_timeout' });
  throw error;
}

/** What a name resolves to, and what else the network says, is no business of who may only name it. */
function whyUnfetched({ code, detail = '' }: GatewayError): string {
  switch (code) {
    case 'upstream_address_refused':
      return 'is at an address that this gateway may not connect to; the operator of Gatehouse can allow its range with GATEHOUSE_EGRESS_ALLOWED_RANGES';
    case 'upstream_timeout':
      return 'did not answer completely in time';
    case 'upstream_failed':
      return detail.startsWith('the answer is larger') ? `answers more than ${maxSourceBytes} bytes` : 'broke off before it answered completely';
    default:
      return 'cannot be reached';
  }
}

const refused = (problem: { pointer: string; detail: string; code: string }): GatewayError => new GatewayError('validation_failed', { problems: [problem] });
