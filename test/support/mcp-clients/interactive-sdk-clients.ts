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

/** One generation of the SDK. */
interface Generation {
  connect: (url: string, desk: Desk) => Promise<ConnectedClient>;
  isUnauthorized: (error: unknown) => boolean;
  /** Exchanges what the browser came back with. */
  finish: (url: string, desk: Desk) => Promise<void>;
}

const first = (url: string, { provider }: Desk) => new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
const second = (url: string, { provider }: Desk) => new ModernTransport(new URL(url), { authProvider: provider });

const firstGeneration: Generation = {
  connect: async (url, desk) => {
    const client = new Client({ name: desk.title, version: '1.0.0' });
    await client.connect(first(url, desk));
    return client;
  },
  isUnauthorized: (error) => error instanceof UnauthorizedError,
  finish: async (url, desk) => first(url, desk).finishAuth(desk.answer().get('code') ?? ''),
};

const secondGeneration = (mode: 'legacy' | 'auto'): Generation => ({
  connect: async (url, desk) => {
    const client = new ModernClient({ name: desk.title, version: '1.0.0' }, { versionNegotiation: { mode } });
    await client.connect(second(url, desk));
    return client;
  },
  isUnauthorized: (error) => error instanceof ModernUnauthorized,
  finish: async (url, desk) => second(url, desk).finishAuth(desk.answer()),
});

export const interactiveSdkClients: InteractiveClient[] = [
  sdkClient('SDK 1.32', firstGeneration),
  sdkClient('SDK 2.4, legacy', secondGeneration('legacy')),
  sdkClient('SDK 2.4, negotiating', secondGeneration('auto')),
];

function sdkClient(name: string, generation: Generation): InteractiveClient {
  return { name, title: name, install: (open) => install(name, open, generation) };
}

async function install(title: string, open: OpenInBrowser, { connect, isUnauthorized, finish }: Generation): Promise<InstalledClient> {
  const desk = await Desk.setUp(title, open);
  const attempt = async <T>(url: string, use: (client: ConnectedClient) => Promise<T>): Promise<T> => {
    const client = await connect(url, desk);
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  };
  /** Logs in where it has to, and tries again. */
  const withClient = <T>(url: string, use: (client: ConnectedClient) => Promise<T>): Promise<T> =>
    attempt(url, use).catch(async (error: unknown) => {
      if (!isUnauthorized(error)) throw error;
      await finish(url, desk);
      return attempt(url, use);
    });
  return {
    listTools: (url) => withClient(url, async (client) => (await client.listTools()).tools.map((tool) => tool.name)),
    callTool: (url, tool, args) => withClient(url, async (client) => textOf(await client.callTool({ name: tool, arguments: args }))),
    visits: desk.visits,
    remove: () => desk.close(),
  };
}

/** What an application that uses the SDK brings along: what it keeps, a browser, and where the browser comes back to. */
export class Desk {
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

  /** What came back with the browser. @throws LoginRefused */
  answer(): URLSearchParams {
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
      invalidateCredentials: (scope) => {
        if (scope === 'all' || scope === 'tokens') kept.tokens = undefined;
        if (scope === 'all' || scope === 'client') kept.client = undefined;
      },
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
