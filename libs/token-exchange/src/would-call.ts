/** Of a URL what may be shown: its query may hold a key. */
export function originAndPath(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
