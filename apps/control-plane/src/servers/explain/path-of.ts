/** Path and query of a URL, of a URL without its scheme, or as they are. */
export function pathOf(target: string): string {
  if (target.startsWith('/')) return target;
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(target) ? target : `http://${target}`;
  if (!URL.canParse(url)) return target;
  const { pathname, search } = new URL(url);
  return pathname + search;
}
