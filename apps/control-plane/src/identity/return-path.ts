/** Where the browser goes after a login when it does not say. */
export const homePath = '/';

const anyOrigin = 'https://gatehouse.invalid';

/** A path of ours, whatever was sent: nothing that a browser would read as another origin. */
export function returnPath(sent: unknown): string {
  if (typeof sent !== 'string' || sent.length > 4096 || !sent.startsWith('/') || !URL.canParse(sent, anyOrigin)) return homePath;
  const url = new URL(sent, anyOrigin);
  // As the parser understood it: "/\evil", "/\t/evil" and their like name another host, and leave no path.
  const path = url.pathname + url.search + url.hash;
  return url.origin === anyOrigin && !path.startsWith('//') ? path : homePath;
}
