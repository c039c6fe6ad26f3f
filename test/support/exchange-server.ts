import { createServer } from 'node:http';
import Provider, { type ClientMetadata, type Configuration, type TokenEndpointGrantContext } from 'oidc-provider';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

/** What a token that was given stands for. */
export interface GrantedToken {
  readonly subject: string;
  readonly clientId: string;
  readonly actor?: string | undefined;
  readonly audience?: string | undefined;
  readonly resource?: string | undefined;
  readonly scope?: string | undefined;
  /** Thumbprint of the key that it is bound to. */
  readonly key?: string | undefined;
}

export interface ExchangeServer {
  readonly issuer: string;
  readonly tokenUrl: string;
  /** Every access token that was given for another one, by its text. */
  readonly granted: ReadonlyMap<string, GrantedToken>;
  /** Requests to the token endpoint. */
  readonly requests: number;
  /** Exchanges that were carried out. */
  readonly exchanges: number;
  /** Breaks off every connection from now on, or no more. */
  goAway(isAway?: boolean): void;
  close(): Promise<void>;
}

type Parameters = Readonly<Record<string, string | undefined>>;
export type GrantContext = TokenEndpointGrantContext<Parameters>;

export interface ExchangeGrant {
  readonly name: string;
  readonly parameters: readonly string[];
  /** Answers by `context.body`; refuses by throwing the provider's errors. */
  readonly handle: (context: GrantContext, server: GivingServer) => Promise<void>;
}

/** What a grant may do. */
export interface GivingServer {
  readonly issuer: string;
  /** An access token of this server's, kept as what it stands for. */
  give(context: GrantContext, token: Omit<GrantedToken, 'clientId'>): Promise<string>;
}

export interface ExchangeServerOptions {
  readonly clients: readonly ClientMetadata[];
  readonly grants: readonly ExchangeGrant[];
  readonly accessTokenSeconds?: number;
  readonly features?: Configuration['features'];
}

/** A real authorization server with grants for tokens of others. */
export async function startExchangeServer({ clients, grants, accessTokenSeconds = 600, features = {} }: ExchangeServerOptions): Promise<ExchangeServer> {
  const granted = new Map<string, GrantedToken>();
  const counts = { requests: 0, exchanges: 0 };
  let isAway = false;
  const server = createServer();
  const issuer = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const provider = new Provider(issuer, {
    clients: [...clients],
    scopes: ['openid', 'read', 'write'],
    features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true }, ...features },
    ttl: { AccessToken: accessTokenSeconds, ClientCredentials: 600 },
    cookies: { keys: ['a-key-for-tests'] },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  });
  const giving: GivingServer = {
    issuer,
    give: async (context, token) => {
      const { client } = context.oidc;
      const grant = new provider.Grant({ accountId: token.subject, clientId: client.clientId });
      const given = new provider.AccessToken({ accountId: token.subject, client, grantId: await grant.save(), gty: 'exchange', scope: token.scope ?? '' });
      const value = await given.save();
      granted.set(value, { ...token, clientId: client.clientId });
      return value;
    },
  };
  for (const { name, parameters, handle } of grants) {
    provider.registerGrantType<Parameters>(
      name,
      async (context) => {
        await handle(context, giving);
        counts.exchanges += 1;
      },
      parameters,
    );
  }
  const handle = provider.callback();
  server.on('request', (request, response) => {
    if (isAway) return void request.socket.destroy();
    if (request.url === '/token') counts.requests += 1;
    return void handle(request, response);
  });
  return {
    issuer,
    tokenUrl: `${issuer}/token`,
    granted,
    get requests() {
      return counts.requests;
    },
    get exchanges() {
      return counts.exchanges;
    },
    goAway: (away = true) => void (isAway = away),
    close: () => closeHttpServer(server),
  };
}

/** A client that may do nothing but this. */
export const exchangingClient = (clientId: string, clientSecret: string, grants: readonly string[], method: 'client_secret_basic' | 'client_secret_post' = 'client_secret_basic'): ClientMetadata => ({
  client_id: clientId, client_secret: clientSecret, token_endpoint_auth_method: method, redirect_uris: [], response_types: [], grant_types: [...grants],
});
