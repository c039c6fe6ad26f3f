import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Client as ModernClient, type OAuthClientProvider as ModernProvider, StreamableHTTPClientTransport as ModernTransport, UnauthorizedError as ModernUnauthorized } from '@modelcontextprotocol/client';
import { type OAuthClientProvider, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { closeHttpServer, listenOnLoopback } from '../listen.ts';
import type { Visit } from '../person.ts';
import type { InstalledClient, InteractiveClient, OpenInBrowser } from './interactive-client.ts';
import { textOf } from './mcp-client.ts';

interface ConnectedClient {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(call: { name: string; arguments: Record<string, string> }): Promise<object>;
  close(): Promise<void>;
}

/** Connects, logs in where it has to, and connects again. */
type Connect = (url: string, desk: Desk) => Promise<ConnectedClient>;

export const interactiveSdkClients: InteractiveClient[] = [
  sdkClient('SDK 1.32', async (url, desk) => {
    const connect = async (): Promise<Client> => {
      const client = new Client({ name: desk.title, version: '1.0.0' });
      await client.connect(transport());
      return client;
    };
    const transport = (): StreamableHTTPClientTransport => new StreamableHTTPClientTransport(new URL(url), { authProvider: desk.provider as OAuthClientProvider });
    return connect().catch(async (error: unknown) => {
      if (!(error instanceof UnauthorizedError)) throw error;
      await transport().finishAuth((await desk.answer()).get('code') ?? '');
      return connect();
    });
  }),
  ...(['legacy', 'auto'] as const).map((mode) =>
    sdkClient(`SDK 2.4, ${mode === 'auto' ? 'negotiating' : 'legacy'}`, async (url, desk) => {
      const transport = (): ModernTransport => new ModernTransport(new URL(url), { authProvider: desk.provider as ModernProvider });
      const connect = async (): Promise<ModernClient> => {
        const client = new ModernClient({ name: desk.title, version: '1.0.0' }, { versionNegotiation: { mode } });
        await client.connect(transport());
        return client;
      };
      return connect().catch(async (error: unknown) => {
        if (!(error instanceof ModernUnauthorized)) throw error;
        await transport().finishAuth(await desk.answer());
        return connect();
      });
    }),
  ),
];

function sdkClient(name: string, connect: Connect): InteractiveClient {
  return { name, title: name, install: (open) => install(name, open, connect) };
}

async function install(title: string, open: OpenInBrowser, connect: Connect): Promise<InstalledClient> {
  const desk = await Desk.setUp(title, open);
  const withClient = async <T>(url: string, use: (client: ConnectedClient) => Promise<T>): Promise<T> => {
    const client = await connect(url, desk);
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  };
  return {
    listTools: (url) => withClient(url, async (client) => (await client.listTools()).tools.map((tool) => tool.name)),
    callTool: (url, tool, args) => withClient(url, async (client) => textOf(await client.callTool({ name: tool, arguments: args }))),
    visits: desk.visits,
    remove: () => desk.close(),
  };
}

/** What an application that uses the SDK brings along: what it keeps, a browser, and where the browser comes back to. */
class Desk {
  readonly title: string;
  readonly visits: Visit[] = [];
  readonly provider: OAuthClientProvider & ModernProvider;
  readonly #server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (pathname === '/callback') this.#answered = searchParams;
    response.end('You can go back to the application.');
  });
  #answered: URLSearchParams | undefined;
  #state = '';

  private constructor(title: string) {
    this.title = title;
    this.provider = {} as Desk['provider'];
  }

  static async setUp(title: string, open: OpenInBrowser): Promise<Desk> {
    const desk = new Desk(title);
    const redirectUrl = `http://127.0.0.1:${await listenOnLoopback(desk.#server)}/callback`;
    Object.assign(desk.provider, desk.#keep(redirectUrl, open));
    return desk;
  }

  /** What came back with the browser. */
  async answer(): Promise<URLSearchParams> {
    const answered = this.#answered;
    if (answered?.get('code') === null || answered === undefined) throw new LoginRefused(answered?.get('error') ?? 'nobody came back');
    if (answered.get('state') !== this.#state) throw new LoginRefused('another state');
    return answered;
  }

  close(): Promise<void> {
    return closeHttpServer(this.#server);
  }

  #keep(redirectUrl: string, open: OpenInBrowser): OAuthClientProvider & Pick<ModernProvider, 'discoveryState' | 'saveDiscoveryState'> {
    const kept: { client?: ReturnType<OAuthClientProvider['clientInformation']>; tokens?: ReturnType<OAuthClientProvider['tokens']>; verifier?: string; discovery?: Awaited<ReturnType<NonNullable<ModernProvider['discoveryState']>>> } = {};
    return {
      redirectUrl,
      clientMetadata: { client_name: this.title, redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' },
      state: () => (this.#state = randomUUID()),
      clientInformation: () => kept.client,
      saveClientInformation: (client) => void (kept.client = client),
      tokens: () => kept.tokens,
      saveTokens: (tokens) => void (kept.tokens = tokens),
      redirectToAuthorization: async (url) => {
        this.#answered = undefined;
        this.visits.push(await open(url.href));
      },
      saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
      codeVerifier: () => kept.verifier ?? '',
      saveDiscoveryState: (state) => void (kept.discovery = state),
      discoveryState: () => kept.discovery,
    };
  }
}

/** The browser came back without a code; the message is the error that it brought. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused';
}
