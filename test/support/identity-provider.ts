import { createServer } from 'node:http';
import Provider, { interactionPolicy } from 'oidc-provider';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

/** Someone of the organisation. What the provider says of them can change between logins. */
export interface ProvidedPerson {
  readonly subject: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly name?: string;
  readonly groups?: readonly string[];
  readonly roles?: readonly string[];
}

export interface IdentityProviderOptions {
  readonly redirectUris: readonly string[];
  readonly people: readonly ProvidedPerson[];
  /** Groups and the rest in the ID token; else, as OpenID Connect has it, at the userinfo endpoint. */
  readonly claimsInIdToken?: boolean;
  readonly accessTokenSeconds?: number;
  readonly idTokenSeconds?: number;
  /** With every login; else only where someone was asked for offline access, which nobody is here. */
  readonly refreshTokens?: boolean;
  /** What may be asked for besides, as at providers whose scopes are of their own. */
  readonly moreScopes?: readonly string[];
}

export interface IdentityProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Says something else of someone, or knows someone new, from now on. */
  put(person: ProvidedPerson): void;
  remove(subject: string): void;
  /** Breaks off every connection from now on, or no more. */
  goAway(isAway?: boolean): void;
  /** Requests by path. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const clientId = 'gatehouse';
const clientSecret = 'client-secret-of-the-gateway-0123456789';
export const offeredScopes = ['openid', 'profile', 'email', 'groups', 'offline_access'];

/**
 * A real OpenID provider, of an organisation: certified software with a login form (`login`, the subject; no password, no
 * consent) that a test sends by HTTP.
 */
export async function startIdentityProvider({ redirectUris, people, claimsInIdToken = false, accessTokenSeconds = 600, idTokenSeconds = 600, refreshTokens = false, moreScopes = [] }: IdentityProviderOptions): Promise<IdentityProvider> {
  const scopes = [...offeredScopes, ...moreScopes];
  const known = new Map(people.map((person) => [person.subject, person]));
  const requests: string[] = [];
  let isAway = false;
  const server = createServer();
  const issuer = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const provider = makeProvider();
  const handle = provider.callback();
  server.on('request', (request, response) => {
    requests.push(`${request.method} ${new URL(request.url ?? '/', issuer).pathname}`);
    if (isAway) return void request.socket.destroy();
    const uid = /^\/interaction\/([\w-]+)$/.exec(new URL(request.url ?? '/', issuer).pathname)?.[1];
    if (uid === undefined) return void handle(request, response);
    if (request.method === 'GET') {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<h1>Organisation</h1><form method="post" action="/interaction/${uid}"><input name="login"><button>Log in</button></form>`);
      return undefined;
    }
    let body = '';
    request.on('data', (chunk: Buffer) => void (body += chunk.toString()));
    request.on('end', () => {
      const accountId = new URLSearchParams(body).get('login') ?? '';
      const result = known.has(accountId) ? { login: { accountId } } : { error: 'access_denied', error_description: 'no such person' };
      void provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    });
    return undefined;
  });

  return {
    issuer, clientId, clientSecret, requests,
    put: (person) => void known.set(person.subject, person),
    remove: (subject) => void known.delete(subject),
    goAway: (away = true) => void (isAway = away),
    close: () => closeHttpServer(server),
  };

  function makeProvider(): Provider {
    const policy = interactionPolicy.base();
    // Who asks for consent (prompt=consent) gets it, without a page.
    policy.get('consent')?.checks.clear();
    return new Provider(issuer, {
      clients: [{ client_id: clientId, client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_post', redirect_uris: [...redirectUris], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] }],
      scopes,
      claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'], groups: ['groups', 'roles'] },
      conformIdTokenClaims: !claimsInIdToken,
      interactions: { policy, url: (_context, { uid }) => `/interaction/${uid}` },
      features: { devInteractions: { enabled: false } },
      pkce: { required: () => true },
      ...(refreshTokens && { issueRefreshToken: () => true }),
      ttl: { AccessToken: accessTokenSeconds, AuthorizationCode: 60, IdToken: idTokenSeconds, Interaction: 600, Session: 3600, Grant: 3600, RefreshToken: 3600 },
      cookies: { keys: ['a-key-for-tests'] },
      findAccount: (_context, subject) => {
        const person = known.get(subject);
        if (person === undefined) return undefined;
        const { email, emailVerified, name, groups, roles } = person;
        return { accountId: subject, claims: () => ({ sub: subject, email, email_verified: emailVerified, name, groups, roles }) };
      },
      // The organisation's own application: nobody is asked whether it may know them.
      loadExistingGrant: async (context) => {
        const grant = new context.oidc.provider.Grant({ clientId: context.oidc.client?.clientId, accountId: context.oidc.session?.accountId });
        grant.addOIDCScope(scopes.join(' '));
        await grant.save();
        return grant;
      },
    });
  }
}
