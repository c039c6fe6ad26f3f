import { generateKeyPairSync } from 'node:crypto';
import { discoverOAuthProtectedResourceMetadata } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { AccessTokens } from '@gatehouse/access-tokens';
import { Secret } from '@gatehouse/sealing';
import { completeExchange, prepareExchange } from '@gatehouse/token-exchange';

/** What the conformance tool tells a client of cross-app access. */
interface CrossAppAccess {
  readonly client_id: string;
  readonly client_secret: string;
  readonly idp_client_id: string;
  readonly idp_id_token: string;
  readonly idp_token_endpoint: string;
}

const url = new URL(process.argv[2] ?? '');
const given = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '') as CrossAppAccess;

const { resource, authorization_servers: [audience] = [] } = await discoverOAuthProtectedResourceMetadata(url);
// The tool's identity provider asks its clients for no proof; ours always have one, and this one is of use nowhere else.
const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const exchange = prepareExchange(completeExchange.parse({
  type: 'on-behalf-of', grant: 'id-jag', tokenUrl: given.idp_token_endpoint, clientId: given.idp_client_id, privateKey, audience, resource,
  target: { clientId: given.client_id, clientSecret: given.client_secret },
}));
const token = await exchange.obtain({
  caller: { id: 'token:1', kind: 'token', name: 'demo', groups: [], subject: 'demo' },
  callerToken: { value: new Secret(given.idp_id_token), expiresAt: undefined },
  tokens: new AccessTokens({ now: Date.now, fetch: (address, init) => fetch(address, init), post: undefined }),
});
if (token === undefined) throw new Error('no token was obtained');

const client = new Client({ name: 'gatehouse-test-client', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: { Authorization: `Bearer ${token.value.reveal()}` } } }));
const { tools: [tool] } = await client.listTools();
await client.callTool({ name: tool?.name ?? '', arguments: {} });
await client.close();
