import type { Credential, InsertedCredential } from '@gatehouse/app-auth';
import type { PreparedServer } from '@gatehouse/upstream-request';

/** Where an answer comes from, and where its caller finds that. */
export interface DirectRoute {
  readonly server: Pick<PreparedServer, 'upstream'>;
  /** Path of the server at the gateway. */
  readonly prefix: string;
  /** Path and query of the request at the upstream, without credentials. */
  readonly path: string;
  readonly credentials: readonly Credential[];
}

/** About caches between, or pages of the upstream's own origin: said anew, or not true of ours. */
const replaced = new Set(['cache-control', 'surrogate-control', 'cdn-cache-control', 'content-security-policy', 'content-security-policy-report-only', 'x-content-type-options', 'service-worker-allowed']);

/**
 * Names in lower case. Links into the API lead to the gateway, where its caller can follow them; a key that the
 * gateway has put into a query does not come back by them.
 * @param location as the upstream has it; of an answer that is no redirect
 */
export function directReplyHeaders(headers: readonly string[], location: string | readonly string[] | undefined, route: DirectRoute): string[] {
  const links = new Links(route);
  const outgoing: string[] = [];
  let cacheControl = '';
  const add = (name: string, value: string | undefined): void => void (value !== undefined && !links.hasKey(value) && outgoing.push(name, value));
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [name, value] = [headers[index] as string, headers[index + 1] as string];
    if (name === 'content-location') add(name, links.atGateway(value));
    else if (name === 'link') add(name, value.replaceAll(/<([^<>]*)>/g, (_, target: string) => `<${links.atGateway(target) ?? target}>`));
    else if (name === 'cache-control') cacheControl += `,${value}`;
    else if (!replaced.has(name)) add(name, value);
  }
  // Where something was made: it is no redirect, and nothing is sent there.
  if (typeof location === 'string') add('location', links.atGateway(location));
  // Who may read it the gateway has decided for this caller, and for no cache that others share (RFC 9111 section 3.5).
  outgoing.push('cache-control', ['private', ...sharedWithNobody(cacheControl)].join(', '), 'vary', 'Authorization, X-Gatehouse-Key');
  // What an API answers is data: opened in a browser, it must not be a page of the gateway's origin.
  outgoing.push('content-security-policy', "sandbox; default-src 'none'", 'x-content-type-options', 'nosniff');
  return outgoing;
}

const ofSharedCaches = /^(?:public|private|s-maxage|proxy-revalidate)\b/i;
const sharedWithNobody = (cacheControl: string): string[] => (cacheControl.match(/(?:[^,"]|"[^"]*")+/g) ?? []).map((directive) => directive.trim()).filter((directive) => directive !== '' && !ofSharedCaches.test(directive));

class Links {
  readonly #route: DirectRoute;
  readonly #base: URL;
  readonly #basePath: string;
  readonly #keys: readonly string[];
  readonly #names: ReadonlySet<string>;

  constructor(route: DirectRoute) {
    const { server: { upstream }, credentials } = route;
    this.#route = route;
    this.#base = new URL(upstream.url);
    this.#basePath = this.#base.pathname.replace(/\/$/, '');
    const inQuery = credentials.filter((credential): credential is InsertedCredential => credential.in === 'query');
    // What is shorter is no secret, and stands in much that has nothing to do with it.
    this.#keys = inQuery.map(({ value }) => value.reveal()).filter((value) => value.length >= 8).flatMap((value) => [value, encodeURIComponent(value), new URLSearchParams([['', value]]).toString().slice(1)]);
    // What the gateway adds to every query is added to that of the link, too.
    this.#names = new Set([...inQuery.map(({ name }) => name), ...this.#base.searchParams.keys()]);
  }

  hasKey(value: string): boolean {
    return this.#keys.some((key) => value.includes(key));
  }

  /** Of what is below the server's URL; undefined for anything else. */
  atGateway(link: string): string | undefined {
    const current = this.#base.origin + this.#route.path;
    if (!URL.canParse(link, current)) return undefined;
    const { origin, pathname, search, hash } = new URL(link, current);
    const isBelow = origin === this.#base.origin && (pathname === this.#basePath || pathname.startsWith(`${this.#basePath}/`));
    if (!isBelow) return undefined;
    const kept = search.slice(1).split('&').filter((pair) => pair !== '' && !this.#names.has(new URLSearchParams(pair).keys().next().value ?? ''));
    return `${this.#route.prefix}${pathname.slice(this.#basePath.length)}${kept.length === 0 ? '' : `?${kept.join('&')}`}${hash}`;
  }
}
