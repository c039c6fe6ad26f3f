import { decodeBytes, hasDotSegment, maxDecodings, namesInQuery, withoutNames } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import type { PreparedUpstream } from './prepared-server.ts';

/** What is asked for below a server's URL. */
export interface DirectTarget {
  /** As it came: empty, or from its slash to its end. */
  readonly path: string;
  /** With its question mark; empty where there is none. */
  readonly search: string;
}

/**
 * Path and query at the upstream of what a caller asks for under `/api/{workspace}/{server}`. It is below the configured URL in
 * whatever way it is read: decoded or not, once or more, with back slashes for slashes. What the URL's own query sets, no caller sets.
 * @throws GatewayError invalid_path
 */
export function directPath({ path: base }: Pick<PreparedUpstream, 'path'>, { path, search }: DirectTarget): string {
  const problem = unfitPath(path) ?? (outsideOfUri.test(search) ? 'has a character in its query that no URL has' : undefined);
  if (problem !== undefined) throw new GatewayError('invalid_path', { publicMessage: `The path of the request ${problem}.` });
  const cut = base.indexOf('?');
  const [basePath, baseQuery] = cut === -1 ? [base, ''] : [base.slice(0, cut), base.slice(cut + 1)];
  const full = path === '' ? basePath : (basePath.endsWith('/') ? basePath.slice(0, -1) : basePath) + path;
  const query = joinQueries(baseQuery, search.slice(1));
  return query === '' ? full : `${full}?${query}`;
}

function joinQueries(configured: string, given: string): string {
  if (configured === '') return given;
  return [configured, ...withoutNames(given, namesInQuery(configured))].join('&');
}

// RFC 3986 section 2, but for what browsers and clients leave as it is (`|`, `[`, …).
const outsideOfUri = /[^\x21-\x7e]|[\\#]/;
const brokenEscape = /%(?![0-9A-Fa-f]{2})/;

function unfitPath(path: string): string | undefined {
  if (outsideOfUri.test(path)) return 'has a character that no URL has';
  if (brokenEscape.test(path)) return 'has a % that begins no escape';
  if (path.includes('//')) return 'has an empty segment';
  let text = path;
  for (let round = 0; round <= maxDecodings; round += 1) {
    if (hasDotSegment(text)) return 'has a segment of dots, which would lead to another path';
    const decoded = decodeBytes(text);
    if (decoded === text) return undefined;
    if (unprintable.test(decoded)) return 'has an encoded control character';
    if (overlong.test(decoded)) return 'has an encoding that is longer than it has to be';
    text = decoded;
  }
  return 'is encoded over and over';
}

const unprintable = /[\x00-\x1f\x7f]/; // eslint-disable-line no-control-regex -- these are what it looks for
/** Of UTF-8: what decoders that do not look closely take for ASCII (RFC 3629 section 10). */
const overlong = /[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]/;
