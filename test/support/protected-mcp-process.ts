import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { InvalidGrantError, InvalidTargetError, InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import type { AuthorizationParams, OAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import { getOAuthProtectedResourceMetadataUrl, mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { OAuthClientInformationFull, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { listenOnLoopback } from './listen.ts';
import type { ProtectedMcpOptions } from './protected-mcp-server.ts';

/** What the SDK's own auth server keeps, in memory: everyone who gives a name may log in. */
const options = JSON.parse(process.argv[2] ?? '{}') as ProtectedMcpOptions;
const { accessTokenSeconds = 3600, scopes = ['read', 'write'] } = options;

interface Grant {
  readonly clientId: string;
  readonly login: string;
  readonly scopes: readonly string[];
  readonly resource: string | undefined;
}

const clients = new Map<string, OAuthClientInformationFull>();
const waiting = new Map<string, { readonly client: OAuthClientInformationFull; readonly params: AuthorizationParams }>();
const codes = new Map<string, Grant & { readonly challenge: string; readonly redirectUri: string }>();
const accessTokens = new Map<string, Grant & { readonly expiresAt: number }>();
const refreshTokens = new Map<string, Grant>();
const random = (): string => randomBytes(24).toString('base64url');

const server = createServer();
const origin = `http://127.0.0.1:${await listenOnLoopback(server)}`;
const resource = new URL('/mcp', origin);

const takeCode = (client: OAuthClientInformationFull, code: string) => {
  const found = codes.get(code);
  if (found?.clientId !== client.client_id) throw new InvalidGrantError('no such code');
  return found;
};

function issue(grant: Grant): OAuthTokens {
  const [access, refresh] = [random(), random()];
  accessTokens.set(access, { ...grant, expiresAt: Math.floor(Date.now() / 1000) + accessTokenSeconds });
  refreshTokens.set(refresh, grant);
  return { access_token: access, token_type: 'bearer', expires_in: accessTokenSeconds, refresh_token: refresh, scope: grant.scopes.join(' ') };
}

const provider: OAuthServerProvider = {
  clientsStore: {
    getClient: (id) => clients.get(id),
    ...(options.registers !== false && {
      registerClient: (metadata) => {
        const client = metadata as OAuthClientInformationFull;
        clients.set(client.client_id, client);
        return client;
      },
    }),
  },
  authorize: (client, params, response) => {
    const id = random();
    waiting.set(id, { client, params });
    response.send(`<h1>Upstream</h1><form method="post" action="/approve"><input type="hidden" name="request" value="${id}"><input name="login"><button>Allow</button></form>`);
    return Promise.resolve();
  },
  challengeForAuthorizationCode: (client, code) => Promise.resolve().then(() => takeCode(client, code).challenge),
  exchangeAuthorizationCode: (client, code, _verifier, redirectUri, sent) =>
    Promise.resolve().then(() => {
      const { challenge: _challenge, redirectUri: wanted, ...grant } = takeCode(client, code);
      codes.delete(code);
      if (redirectUri !== wanted) throw new InvalidGrantError('another redirect URI');
      if (sent?.href !== grant.resource) throw new InvalidTargetError('another resource');
      return issue(grant);
    }),
  exchangeRefreshToken: (client, token, _scopes, sent) =>
    Promise.resolve().then(() => {
      const grant = refreshTokens.get(token);
      if (grant?.clientId !== client.client_id) throw new InvalidGrantError('no such refresh token');
      if (sent?.href !== grant.resource) throw new InvalidTargetError('another resource');
      refreshTokens.delete(token);
      return issue(grant);
    }),
  verifyAccessToken: (token) =>
    Promise.resolve().then(() => {
      const found = accessTokens.get(token);
      if (!found) throw new InvalidTokenError('no such token');
      const { clientId, login, scopes: granted, resource: audience, expiresAt } = found;
      return { token, clientId, scopes: [...granted], expiresAt, extra: { login }, ...(audience !== undefined && { resource: new URL(audience) }) };
    }),
  revokeToken: (_client, { token }) => {
    accessTokens.delete(token);
    refreshTokens.delete(token);
    return Promise.resolve();
  },
};

const app = createMcpExpressApp();
app.use(mcpAuthRouter({ provider, issuerUrl: new URL(origin), resourceServerUrl: resource, scopesSupported: [...scopes], tokenOptions: { rateLimit: false }, clientRegistrationOptions: { rateLimit: false }, authorizationOptions: { rateLimit: false } }));
app.post('/approve', (request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => void (body += chunk.toString()));
  request.on('end', () => {
    const form = new URLSearchParams(body);
    const asked = waiting.get(form.get('request') ?? '');
    if (!asked) return void response.status(400).send('unknown');
    const { client, params } = asked;
    waiting.delete(form.get('request') ?? '');
    const url = new URL(params.redirectUri);
    if (params.state !== undefined) url.searchParams.set('state', params.state);
    if (form.get('login') === 'nobody') {
      url.searchParams.set('error', 'access_denied');
      return void response.redirect(url.href);
    }
    const code = random();
    codes.set(code, {
      clientId: client.client_id, login: form.get('login') ?? '', scopes: params.scopes ?? [], resource: params.resource?.href,
      challenge: params.codeChallenge, redirectUri: params.redirectUri,
    });
    url.searchParams.set('code', code);
    return void response.redirect(url.href);
  });
});
const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(resource);
app.all('/mcp', requireBearerAuth({ verifier: provider, resourceMetadataUrl, expectedResource: resource, requiredScopes: [...(options.requiredScopes ?? [])] }), (request, response) => {
  const mcp = new McpServer({ name: 'protected', version: '1.0.0' });
  mcp.registerTool('whoami', { description: 'Whose token it is.' }, ({ authInfo }) => ({ content: [{ type: 'text', text: String(authInfo?.extra?.['login']) }] }));
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  void (async () => {
    await mcp.connect(transport);
    await transport.handleRequest(request, response, request.body);
  })();
});
server.on('request', app);

/** What the process can be told. */
const commands: Readonly<Record<string, () => unknown>> = {
  /** As after a restart of a server that keeps everything in memory. */
  forget: () => [clients, waiting, codes, accessTokens, refreshTokens].forEach((kept: Map<string, unknown>) => kept.clear()),
  forgetAccessTokens: () => accessTokens.clear(),
  count: () => ({ clients: clients.size, accessTokens: accessTokens.size, refreshTokens: refreshTokens.size }),
};
process.on('message', (command: string) => {
  process.send?.({ done: command, result: commands[command]?.() });
});
process.send?.({ origin, url: resource.href });
