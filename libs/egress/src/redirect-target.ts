/** An answer that names another place for what was asked (RFC 9110 section 15.4). */
export interface RedirectAnswer {
  /** The configured URL. Its scheme, host, port and path are the scope; its query is not. */
  readonly base: string;
  /** Of the request that was answered. */
  readonly method: string;
  /** Path and query of the request that was answered. */
  readonly path: string;
  /** Whether its body is at hand to be sent again; so it is when absent. */
  readonly isRepeatable?: boolean;
  readonly status: number;
  /** A list where the answer had more than one. */
  readonly location: string | readonly string[] | undefined;
}

/** Why a redirect is not followed. */
export type RedirectRefusal = 'no_location' | 'unclear_location' | 'other_origin' | 'outside_base_path' | 'method_not_repeated' | 'body_not_repeated' | 'too_many';

export type RedirectTarget =
  | { readonly follow: { readonly method: string; /** Path and query. */ readonly path: string } }
  | { readonly refused: RedirectRefusal; /** Of the target, where it has one that can be told. */ readonly origin: string | undefined };

/** How many redirects of one request are followed. */
export const maxRedirects = 5;

/** What of a redirect's own body is read away, so that its connection can be used again; more costs the connection. */
export const redirectBody = { maxBytes: 65_536, maxMs: 1_000 } as const;

export const isRedirect = (status: number): boolean => status === 301 || status === 302 || status === 303 || status === 307 || status === 308;

const maxLocationLength = 8_192;
// A name of 253 characters (RFC 1035 section 2.3.4) with scheme and port: what is longer was made up.
const maxOriginLength = 270;

/**
 * Where a redirect leads, if it may be followed: the configured URL's own origin, at or below its path (D7, docs/rules.md). A
 * query key and the caller's headers would go along, so whatever could be read in two ways is not followed.
 * @param followed how many redirects of this request were followed before
 */
export function redirectTarget({ base, method, path, isRepeatable = true, status, location }: RedirectAnswer, followed: number): RedirectTarget {
  if (location === undefined || location === '') return { refused: 'no_location', origin: undefined };
  if (typeof location !== 'string' || location.length > maxLocationLength) return { refused: 'unclear_location', origin: undefined };
  const scope = new URL(base);
  const current = scope.origin + path;
  if (!URL.canParse(location, current)) return { refused: 'unclear_location', origin: undefined };
  const target = new URL(location, current);
  const origin = tellableOrigin(target);
  if (target.origin !== scope.origin) return { refused: 'other_origin', origin };
  if (target.username !== '' || target.password !== '' || isUnclear(location)) return { refused: 'unclear_location', origin };
  if (!isBelow(scope.pathname, target.pathname)) return { refused: 'outside_base_path', origin };
  // 301, 302 and 303 turn a POST into a GET, which is another request than the one that was asked for.
  const keepsMethod = status === 307 || status === 308 || method === 'GET' || method === 'HEAD';
  if (!keepsMethod) return { refused: 'method_not_repeated', origin };
  if (!isRepeatable) return { refused: 'body_not_repeated', origin };
  if (followed >= maxRedirects) return { refused: 'too_many', origin };
  return { follow: { method, path: target.pathname + target.search } };
}

/**
 * The path itself, with or without the slash at its end, or what is below it. Compared as `URL` writes them, without dot
 * segments; a path that is spelled otherwise (`%7E` for `~`) counts as another.
 */
function isBelow(basePath: string, path: string): boolean {
  const base = basePath.endsWith('/') ? basePath.slice(0, -1) : basePath;
  return path === base || path.startsWith(`${base}/`);
}

// Separators and dots that only some servers take for such, however often they are encoded; `..;` is `..` to servlets.
const disguised = /\\|%(?:25)*(?:2e|2f|5c)|(?:^|\/)\.{1,2};/i;
// `URL` leaves out tabs and line breaks and encodes the rest; a URI has none of them (RFC 3986 section 2).
const outsideOfUri = /[^\x21-\x7e]/;

function isUnclear(location: string): boolean {
  const [beforeQuery = ''] = location.split(/[?#]/, 1);
  return outsideOfUri.test(location) || disguised.test(beforeQuery);
}

const tellableOrigin = ({ origin }: URL): string | undefined => (origin === 'null' || origin.length > maxOriginLength ? undefined : origin);
