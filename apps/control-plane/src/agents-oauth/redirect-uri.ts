const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);
const webSchemes = new Set(['http:', 'https:']);

/** What kind of place a client sends its users back to. */
export type RedirectKind = 'web' | 'loopback' | 'app' | 'insecure';

/** `app`: a scheme that an installed program has registered (RFC 8252 section 7.1). `insecure`: http to another machine, or no URL. */
export function redirectKind(uri: string): RedirectKind {
  const url = URL.parse(uri);
  if (url === null) return 'insecure';
  if (!webSchemes.has(url.protocol)) return 'app';
  if (url.protocol === 'https:') return 'web';
  return loopbackHosts.has(url.hostname) ? 'loopback' : 'insecure';
}

/** What a person is shown of it, and consent is bound to: the host; of a program's own scheme that and what follows. */
export function redirectHost(uri: string): string {
  const url = URL.parse(uri);
  if (url === null) return '';
  if (!webSchemes.has(url.protocol)) return `${url.protocol}${url.host === '' ? '' : `//${url.host}`}`;
  // With the port, also of a loopback address, where it may be another one at each login (RFC 8252 section 7.3): whichever program
  // listens there now need not be the one that was agreed to (section 8.6).
  return url.host;
}
