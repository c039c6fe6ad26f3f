/** What a browser says of where a request comes from. */
export interface RequestOrigin {
  readonly headers: { readonly 'sec-fetch-site'?: string | string[] | undefined; readonly origin?: string | undefined; readonly host?: string | undefined };
}

/**
 * Whether a browser says that a page of another origin sent this request. `Sec-Fetch-Site` (W3C Fetch Metadata) no page can
 * forge; browsers that do not send it send `Origin` with everything but GET. Without either nothing is said.
 */
export function isCrossSite({ headers }: RequestOrigin, controlPlaneUrl: string): boolean {
  const { 'sec-fetch-site': site, origin, host } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined) return false;
  return origin !== new URL(controlPlaneUrl).origin && !(URL.canParse(origin) && new URL(origin).host === host);
}
