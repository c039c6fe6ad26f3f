import { Client, type FetchLike, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import manifest from '../../package.json' with { type: 'json' };

/** The last answer that was an error, as the gateway gave it. */
export interface GatewayRefusal {
  readonly status: number;
  /** Of the gateway's own errors. */
  readonly code: string | undefined;
  readonly message: string | undefined;
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
    refusal = response.ok ? undefined : refusalOf(response.status, await response.clone().text());
    return response;
  };
  const client = new Client({ name: 'gatehouse-call', version: manifest.version }, { versionNegotiation: { mode: 'auto' } });
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: fetchAndNote, requestInit: { headers, redirect: 'error' } });
  return { client, refusal: () => refusal, connect: () => client.connect(transport) };
}

function refusalOf(status: number, text: string): GatewayRefusal {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string; data?: { code?: string } } };
    return { status, code: error?.data?.code, message: error?.message };
  } catch {
    return { status, code: undefined, message: undefined };
  }
}
