import { Client, type FetchLike, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import manifest from '../../package.json' with { type: 'json' };

/** The last answer that was an error, as the gateway gave it. */
export interface GatewayRefusal {
  readonly status: number;
  /** Of the gateway's own errors. */
  readonly code: string | undefined;
  readonly message: string | undefined;
  /** People log in there (RFC 9728). */
  readonly wantsLogin: boolean;
}

/** A client of one server of the gateway, newest protocol first. */
export interface GatewayClient {
  readonly client: Client;
  connect(): Promise<void>;
  /** Why the last request was refused, if it was. */
  refusal(): GatewayRefusal | undefined;
}

/** Not connected yet. */
export function prepareClient(url: string, headers: Readonly<Record<string, string>>): GatewayClient {
  let refusal: GatewayRefusal | undefined;
  const fetchAndNote: FetchLike = async (input, init) => {
    const response = await fetch(input, init);
    refusal = response.ok ? undefined : { ...readRefusal(await response.clone().text()), status: response.status, wantsLogin: /\bresource_metadata=/.test(response.headers.get('www-authenticate') ?? '') };
    return response;
  };
  const client = new Client({ name: 'gatehouse-call', version: manifest.version }, { versionNegotiation: { mode: 'auto' } });
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: fetchAndNote, requestInit: { headers, redirect: 'error' } });
  return { client, refusal: () => refusal, connect: () => client.connect(transport) };
}

function readRefusal(text: string): Pick<GatewayRefusal, 'code' | 'message'> {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string; data?: { code?: string } } };
    return { code: error?.data?.code, message: error?.message };
  } catch {
    return { code: undefined, message: undefined };
  }
}
