import type { RestClient } from '../gateway/rest-client.ts';

/** The server `demo` of an earlier start. */
export interface KnownDemoServer {
  readonly port: number | undefined;
  readonly revision: number;
  readonly etag: string;
  readonly document: Readonly<Record<string, unknown>>;
}

const collection = '/v1/workspaces/default/servers';

export async function findDemoServer(rest: RestClient): Promise<KnownDemoServer | undefined> {
  const found = await rest.find(`${collection}/demo`);
  if (!found) return undefined;
  const document = found.body as { upstream: { url: string }; revision: number };
  return { port: loopbackPort(document.upstream.url), revision: document.revision, etag: found.etag ?? '', document: { ...document } };
}

/** Registers the demo upstream, or tells the registered one its new address. @returns the revision that has it */
export async function registerDemoServer(rest: RestClient, known: KnownDemoServer | undefined, upstream: { url: string; key: string }): Promise<number> {
  if (!known) {
    const { body } = await rest.create(collection, demoDocument(upstream));
    return (body as { revision: number }).revision;
  }
  // Somebody gave the name to something else, or the address is the same: nothing to do.
  const { url } = known.document['upstream'] as { url: string };
  if (known.port === undefined || url === upstream.url) return known.revision;
  const moved = { ...known.document, upstream: { ...(known.document['upstream'] as object), url: upstream.url } };
  const { body } = await rest.replace(`${collection}/demo`, moved, known.etag);
  return (body as { revision: number }).revision;
}

const demoDocument = ({ url, key }: { url: string; key: string }) => ({
  name: 'demo',
  title: 'Demo',
  description: 'The sample upstream of "gatehouse up --demo": it wants a key that only the gateway has.',
  type: 'mcp',
  upstream: { url },
  agentAuth: { type: 'passthrough' },
  appAuth: { type: 'api-key', name: 'X-Api-Key', in: 'header', value: key },
});

/** Of a URL that the demo upstream may have had, else undefined. */
function loopbackPort(url: string): number | undefined {
  const { hostname, pathname, port } = new URL(url);
  return hostname === '127.0.0.1' && pathname === '/mcp' && port !== '' ? Number(port) : undefined;
}
