/**
 * Path and query of the endpoint that a legacy HTTP+SSE stream names, or `undefined` where it is not at the upstream's own
 * origin: credentials would follow it there.
 */
export function endpointPath(endpoint: string, upstreamUrl: string): string | undefined {
  if (!URL.canParse(endpoint, upstreamUrl)) return undefined;
  const url = new URL(endpoint, upstreamUrl);
  return url.origin === new URL(upstreamUrl).origin ? url.pathname + url.search : undefined;
}
