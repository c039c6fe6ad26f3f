import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import Provider from 'oidc-provider';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface StrictProviderOptions {
  readonly accessTokenSeconds?: number;
  readonly redirectUris?: readonly string[];
}

/** What happens to a request to the token endpoint besides what the provider does. */
export interface Interference {
  /** It has come and was not looked at. A status answers in the provider's place, `reset` breaks off. */
  readonly before?: () => Promise<number | 'reset' | void> | number | 'reset' | void;
  /** It was carried out and the answer has not left. */
  readonly after?: () => Promise<'reset' | void> | 'reset' | void;
}

export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
}

export interface StrictProvider {
  readonly issuer: string;
  readonly tokenUrl: string;
  readonly revocationUrl: string;
  readonly authorizationUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** As though someone had just agreed. */
  issue(accountId: string): Promise<IssuedTokens>;
  /** Whether the provider takes an access token at the moment. */
  accepts(accessToken: string): Promise<boolean>;
  interfere(interference: Interference): void;
  /** Breaks off every connection from now on, or no more. */
  goAway(isAway?: boolean): void;
  /** Refreshes that were carried out. */
  readonly refreshes: number;
  /** Requests to the token endpoint. */
  readonly requests: number;
  /** Families of tokens that were revoked because a refresh token came twice. */
  readonly revokedFamilies: number;
  /** Tokens that were given back. */
  readonly revocations: number;
  close(): Promise<void>;
}

const clientId = 'gatehouse-app';
const clientSecret = 'client-secret-of-the-app-0123456789';
const scope = 'openid offline_access read write';

/**
 * A real OAuth server that takes each refresh token once, and revokes everything it gave where one comes twice (RFC 9700 section
 * 4.14.2).
 */
export async function startStrictProvider({ accessTokenSeconds = 3600, redirectUris = ['https://gateway.example/callback'] }: StrictProviderOptions = {}): Promise<StrictProvider> {
  const counts = { refreshes: 0, requests: 0, revokedFamilies: 0, revocations: 0 };
  let interference: Interference = {};
  let isAway = false;
  const server = createServer();
  const issuer = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const provider = makeProvider();
  const handle = provider.callback();
  server.on('request', (request, response) => {
    void (async () => {
      if (isAway) return void request.socket.destroy();
      if (request.url !== '/token') return void handle(request, response);
      counts.requests += 1;
      const { before, after } = interference;
      const instead = await before?.();
      if (isAway || instead === 'reset') return void request.socket.destroy();
      if (typeof instead === 'number') return void response.writeHead(instead, { 'Content-Type': 'text/html' }).end('<h1>error</h1>');
      if (after) holdAnswer(response, after);
      await handle(request, response);
      return undefined;
    })();
  });
  const client = await provider.Client.find(clientId);
  if (!client) throw new Error('the provider does not know its client');

  return {
    issuer, clientId, clientSecret, tokenUrl: `${issuer}/token`, revocationUrl: `${issuer}/token/revocation`, authorizationUrl: `${issuer}/auth`,
    issue: async (accountId) => {
      const grant = new provider.Grant({ accountId, clientId });
      grant.addOIDCScope(scope);
      const grantId = await grant.save();
      const basis = { accountId, client, grantId, gty: 'authorization_code', scope, claims: {}, expiresWithSession: false };
      const accessToken = await new provider.AccessToken(basis).save();
      const refreshToken = await new provider.RefreshToken({ ...basis, rotations: 0 }).save();
      return { accessToken, refreshToken, expiresIn: accessTokenSeconds };
    },
    accepts: async (accessToken) => {
      const found = await provider.AccessToken.find(accessToken);
      return found !== undefined && found.isValid && (await provider.Grant.find(found.grantId ?? '')) !== undefined;
    },
    interfere: (next) => void (interference = next),
    goAway: (away = true) => void (isAway = away),
    get refreshes() {
      return counts.refreshes;
    },
    get requests() {
      return counts.requests;
    },
    get revokedFamilies() {
      return counts.revokedFamilies;
    },
    get revocations() {
      return counts.revocations;
    },
    close: () => closeHttpServer(server),
  };

  function makeProvider(): Provider {
    const made = new Provider(issuer, {
      clients: [{ client_id: clientId, client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_basic', redirect_uris: [...redirectUris], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] }],
      scopes: scope.split(' '),
      features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
      rotateRefreshToken: true,
      ttl: { AccessToken: accessTokenSeconds, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 3600, Grant: 86_400, RefreshToken: 86_400 },
      cookies: { keys: ['a-key-for-tests'] },
      findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    });
    made.on('grant.success', ({ oidc }) => void (oidc.params?.['grant_type'] === 'refresh_token' && (counts.refreshes += 1)));
    made.on('grant.revoked', ({ path }) => void (path === '/token' && (counts.revokedFamilies += 1)));
    made.on('refresh_token.destroyed', () => void (counts.revocations += 1));
    return made;
  }
}

/** The answer leaves once the interference has nothing more to do. */
function holdAnswer(response: ServerResponse, after: NonNullable<Interference['after']>): void {
  const end = response.end.bind(response) as (...given: unknown[]) => ServerResponse;
  response.end = ((...given: unknown[]) => {
    void Promise.resolve(after()).then((action) => (action === 'reset' ? response.socket?.destroy() : end(...given)));
    return response;
  }) as typeof response.end;
}

/** For an interference that waits. */
export const never = (): Promise<never> => delay<never>(2 ** 30);
