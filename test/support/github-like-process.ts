import { AsyncLocalStorage } from 'node:async_hooks';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest, McpServer } from '@modelcontextprotocol/server';
import Provider, { type Grant } from 'oidc-provider';
import type { GithubLike, GithubLikeOptions, GithubLikeRecord } from './github-like.ts';
import { LegacySessions } from './legacy-sessions.ts';
import { listenOnLoopback } from './listen.ts';
import { textContent } from './sample-tools.ts';

const options = JSON.parse(process.argv[2] ?? '') as GithubLikeOptions;
const scopes = ['repo', 'read:org'];
const client = { clientId: 'gatehouse-app', clientSecret: 'client-secret-of-the-app-0123456789' };
const service = { clientId: 'gatehouse-service', clientSecret: 'client-secret-of-the-service-0123456789' };
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signer = { clientId: 'gatehouse-signer', privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };

const seen = { logins: [] as string[], consents: [] as string[], refreshes: 0, revokedFamilies: 0, revocations: 0, clientCredentials: 0, refusedRequests: 0 };
/** Ids of access tokens, with whose they are. */
const issued = new Map<string, string>();

const server = createServer();
const origin = `http://127.0.0.1:${await listenOnLoopback(server)}`;

const provider = new Provider(origin, {
  clients: [
    { client_id: client.clientId, client_secret: client.clientSecret, token_endpoint_auth_method: 'client_secret_post', redirect_uris: [...options.redirectUris], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
    { client_id: service.clientId, client_secret: service.clientSecret, token_endpoint_auth_method: 'client_secret_basic', redirect_uris: [], grant_types: ['client_credentials'], response_types: [] },
    { client_id: signer.clientId, jwks: { keys: [publicKey.export({ format: 'jwk' })] }, token_endpoint_auth_method: 'private_key_jwt', redirect_uris: [], grant_types: ['client_credentials'], response_types: [] },
  ],
  scopes,
  features: { devInteractions: { enabled: false }, revocation: { enabled: true }, clientCredentials: { enabled: true } },
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  // As at GitHub: the tokens of an app live on when its person leaves the browser.
  issueRefreshToken: () => true,
  expiresWithSession: () => false,
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, ClientCredentials: 3600, AuthorizationCode: 60, Interaction: 600, Session: 3600, Grant: 86_400, RefreshToken: 86_400 },
  // Of one host all ports share their cookies.
  cookies: { keys: ['a-key-of-the-github-like'], names: { session: 'github_session', interaction: 'github_interaction', resume: 'github_resume' } },
  findAccount: (_context, login) => (login in options.pullRequests ? { accountId: login, claims: () => ({ sub: login }) } : undefined),
});
provider.on('access_token.saved', ({ jti, accountId }) => void issued.set(jti, accountId ?? ''));
provider.on('grant.success', ({ oidc }) => {
  if (oidc.params?.['grant_type'] === 'refresh_token') seen.refreshes += 1;
  if (oidc.params?.['grant_type'] === 'client_credentials') seen.clientCredentials += 1;
});
provider.on('grant.revoked', ({ path }) => void (path === '/token' && (seen.revokedFamilies += 1)));
provider.on('server_error', (_context, error) => console.error(error));
const authorize = provider.callback();

/** Whose token a request has. */
async function loginOf({ headers: { authorization = '' } }: IncomingMessage): Promise<string | undefined> {
  const token = /^Bearer (.+)$/.exec(authorization)?.[1] ?? '';
  const ofClient = await provider.ClientCredentials.find(token);
  if (ofClient?.isValid === true) return ofClient.scopes.has('repo') ? ofClient.clientId : undefined;
  const found = await provider.AccessToken.find(token);
  const isGood = found?.isValid === true && found.scopes.has('repo') && (await provider.Grant.find(found.grantId ?? '')) !== undefined;
  return isGood ? found.accountId : undefined;
}

const caller = new AsyncLocalStorage<string>();
function createGithub(): McpServer {
  const mcp = new McpServer({ name: 'github-like', version: '1.0.0' });
  mcp.registerTool('list_my_pull_requests', { description: 'Lists the open pull requests of whoever asks.' }, () => {
    const login = caller.getStore() ?? '';
    return textContent(JSON.stringify({ login, pullRequests: options.pullRequests[login] ?? [] }));
  });
  return mcp;
}
const modern = createMcpHandler(createGithub, { legacy: 'reject' });
const legacy = new LegacySessions(createGithub);
const answerMcp = toNodeHandler({ fetch: async (request, extra) => ((await isLegacyRequest(request)) ? legacy.fetch(request) : modern.fetch(request, extra)) });

/** Nothing is for nobody, `initialize` neither. */
async function serveMcp(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const login = await loginOf(request);
  if (login !== undefined) return void (await caller.run(login, () => answerMcp(request as NodeIncomingMessageLike, response)));
  seen.refusedRequests += 1;
  response.writeHead(401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' }).end();
}

const page = (title: string, uid: string, inside: string): string => `<!doctype html><title>${title}</title><h1>${title}</h1><form method="post" action="/interaction/${uid}">${inside}</form>`;

async function interact(uid: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, session, params, grantId } = await provider.interactionDetails(request, response);
  const isLogin = prompt.name === 'login';
  if (request.method === 'GET') {
    const agree = `<p>${session?.accountId ?? ''}: ${String(params['scope'])}</p><button name="decision" value="allow">Authorize</button><button name="decision" value="no">Cancel</button>`;
    response.writeHead(200, { 'Content-Type': 'text/html' });
    return void response.end(isLogin ? page('Sign in to GitHub-like', uid, '<input name="login"><button>Sign in</button>') : page('Authorize Gatehouse', uid, agree));
  }
  const form = new URLSearchParams(await text(request));
  if (isLogin) {
    const login = form.get('login') ?? '';
    seen.logins.push(login);
    const result = login in options.pullRequests ? { login: { accountId: login } } : { error: 'access_denied', error_description: 'no such login' };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  const accountId = session?.accountId ?? '';
  if (form.get('decision') !== 'allow') return provider.interactionFinished(request, response, { error: 'access_denied' }, { mergeWithLastSubmission: false });
  seen.consents.push(accountId);
  const known: Grant | undefined = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant = known ?? new provider.Grant({ accountId, clientId: String(params['client_id']) });
  grant.addOIDCScope(scopes.join(' '));
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

let held = Promise.withResolvers<void>();
held.resolve();
async function revoke(request: IncomingMessage, response: ServerResponse): Promise<void> {
  seen.revocations += 1;
  await held.promise;
  await authorize(request, response);
}

server.on('request', (request, response) => {
  const { pathname } = new URL(request.url ?? '/', origin);
  const uid = /^\/interaction\/([\w-]+)$/.exec(pathname)?.[1];
  const isRevocation = pathname === '/token/revocation';
  const served = pathname === '/mcp' ? serveMcp(request, response) : isRevocation ? revoke(request, response) : uid === undefined ? authorize(request, response) : interact(uid, request, response);
  served.catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
});

async function record(): Promise<GithubLikeRecord> {
  const accessTokens: Record<string, number> = {};
  for (const [id, login] of issued) {
    const token = await provider.AccessToken.find(id);
    if (token?.isValid && (await provider.Grant.find(token.grantId ?? '')) !== undefined) accessTokens[login] = (accessTokens[login] ?? 0) + 1;
  }
  return { ...seen, accessTokens };
}

async function endAccessTokens(): Promise<void> {
  for (const id of issued.keys()) await (await provider.AccessToken.find(id))?.destroy();
  issued.clear();
}

const holdRevocations = (): Promise<void> => Promise.resolve(void (held = Promise.withResolvers<void>()));
const releaseRevocations = (): Promise<void> => Promise.resolve(held.resolve());

const commands: Readonly<Record<string, () => Promise<unknown>>> = { record, endAccessTokens, holdRevocations, releaseRevocations };
process.on('message', (command: string) => {
  void commands[command]?.().then((result) => process.send?.({ result }));
});
const app = { authorizationUrl: `${origin}/auth`, tokenUrl: `${origin}/token`, revocationUrl: `${origin}/token/revocation`, ...client, clientAuth: 'post' };
process.send?.({ origin, app, service, signer } satisfies Pick<GithubLike, 'origin' | 'app' | 'service' | 'signer'>);
