/** A cookie's value (RFC 6265 section 4.2), or nothing where it is missing or sent twice: of two nobody knows which one is ours. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  const values = pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
  return values.length === 1 && values[0] !== '' ? values[0] : undefined;
}

export interface CookieOptions {
  readonly isSecure: boolean;
  /** 0 removes it. */
  readonly maxAgeSeconds: number;
}

/** A cookie for this host, which no script reads and no other site's request but a followed link brings along. */
export function formatCookie(name: string, value: string, { isSecure, maxAgeSeconds }: CookieOptions): string {
  return [`${name}=${value}`, 'Path=/', `Max-Age=${maxAgeSeconds}`, 'HttpOnly', 'SameSite=Lax', ...(isSecure ? ['Secure'] : [])].join('; ');
}

/** `__Host-` keeps other hosts and plain http from setting it (RFC 6265bis section 4.1.3.2); browsers take it over https only. */
export const cookieName = (name: string, isSecure: boolean): string => (isSecure ? `__Host-${name}` : name);
