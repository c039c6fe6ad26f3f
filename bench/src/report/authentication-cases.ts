import type { PlainSnapshotDocument } from '@gatehouse/gateway-config';
import { apiDocument } from '../api-document.ts';
import type { BenchSecrets } from '../bench-secrets.ts';
import { accountDocument, authorizationServerDocument, bearerDocument, connectedDocument, exchangeDocument, interactiveDocument, passThroughDocument, serverDocument, signedDocument, virtualDocument } from '../publish-configuration.ts';
import type { LoadRequest } from '../run-wrk.ts';
import { connectedPath, interactivePath, passThroughHeaders, sampleCall } from '../sample-call.ts';
import { bearerOnlyPath, openPath, passedPath, restPath, signedOnlyPath } from '../upstream.ts';
import { directCall, modernCall, virtualCall } from './report-calls.ts';

export type CallKind = 'MCP tool' | 'MCP tool, stateless' | 'API tool' | 'API, direct' | 'tool of a virtual server';

/** One way to call, and to be called: chosen, not every combination there is. */
export interface AuthenticationCase {
  readonly kind: CallKind;
  readonly agentAuth: string;
  readonly appAuth: string;
  /** Of the data plane. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: the sample call. */
  readonly request?: LoadRequest;
  /** Nobody is refused there. */
  readonly open?: true;
}

type PlainServerDocument = Extract<PlainSnapshotDocument, { kind: 'server' }>;
type McpServer = Extract<PlainServerDocument['server'], { type: 'mcp' }>;

const memberCount = 10;

/** What a data plane must know so that all of the cases below work. @param tokenUrl exchanges tokens of callers */
export function documentsOfCases(upstream: string, tokenUrl: string, secrets: BenchSecrets): PlainSnapshotDocument[] {
  const mcp = `${upstream}/mcp`;
  const bearerOnly = upstream + bearerOnlyPath;
  const members = Array.from({ length: memberCount }, (_, index) => `member-${index}`);
  return [
    accountDocument(secrets),
    authorizationServerDocument(secrets),
    serverDocument('orders', mcp, secrets),
    withServer(serverDocument('orders-open', upstream + openPath, secrets), { agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' } }),
    withServer(serverDocument('orders-keyed', mcp, secrets), { agentAuth: { type: 'passthrough' } }),
    withServer(serverDocument('orders-key-bearer', bearerOnly, secrets), { appAuth: { type: 'bearer', token: secrets.upstreamKey } }),
    passThroughDocument('orders-pass-through', upstream + passedPath, secrets),
    bearerDocument('orders-bearer', bearerOnly, secrets),
    withServer(exchangeDocument('orders-exchange', bearerOnly, secrets), exchangingAt(tokenUrl)),
    interactiveDocument('orders-interactive', mcp, secrets),
    connectedDocument('orders-connected', bearerOnly, secrets),
    signedDocument('orders-signed', upstream + signedOnlyPath, secrets),
    apiDocument('orders-api', upstream + restPath, secrets),
    ...members.map((name) => serverDocument(name, mcp, secrets)),
    virtualDocument('orders-virtual', members),
  ];
}

function withServer(document: PlainSnapshotDocument, change: Partial<McpServer> | ((server: McpServer) => McpServer)): PlainSnapshotDocument {
  const { server, ...rest } = document as PlainServerDocument & { readonly server: McpServer };
  return { ...rest, server: typeof change === 'function' ? change(server) : { ...server, ...change } };
}

const exchangingAt = (tokenUrl: string) => (server: McpServer): McpServer => (server.appAuth?.type === 'on-behalf-of' ? { ...server, appAuth: { ...server.appAuth, tokenUrl } } : server);

export function authenticationCases(secrets: BenchSecrets): AuthenticationCase[] {
  const key = { Authorization: secrets.authorization };
  const token = { Authorization: secrets.tokenAuthorization };
  const at = (name: string): string => `/mcp/default/${name}`;
  const tool = { kind: 'MCP tool' } as const;
  return [
    { ...tool, agentAuth: 'API key', appAuth: 'API key', path: at('orders'), headers: key },
    { ...tool, agentAuth: 'none', appAuth: 'none', path: at('orders-open'), headers: {}, open: true },
    { ...tool, agentAuth: 'none', appAuth: 'API key', path: at('orders-keyed'), headers: {}, open: true },
    { ...tool, agentAuth: 'API key', appAuth: 'bearer', path: at('orders-key-bearer'), headers: key },
    { ...tool, agentAuth: 'API key', appAuth: 'AWS signature v4', path: at('orders-signed'), headers: key },
    { ...tool, agentAuth: 'JWT', appAuth: 'pass-through', path: at('orders-pass-through'), headers: { ...passThroughHeaders, ...token } },
    { ...tool, agentAuth: 'JWT', appAuth: 'bearer', path: at('orders-bearer'), headers: token },
    { ...tool, agentAuth: 'JWT', appAuth: 'on behalf of, cached', path: at('orders-exchange'), headers: token },
    { ...tool, agentAuth: 'interactive', appAuth: 'API key', path: interactivePath, headers: { Authorization: secrets.personAuthorization } },
    { ...tool, agentAuth: 'interactive', appAuth: 'connection, cached', path: connectedPath, headers: { Authorization: secrets.connectedAuthorization } },
    { kind: 'MCP tool, stateless', agentAuth: 'API key', appAuth: 'API key', path: at('orders'), headers: key, request: modernCall },
    { kind: 'tool of a virtual server', agentAuth: 'API key', appAuth: 'API key', path: at('orders-virtual'), headers: key, request: virtualCall(memberCount - 1) },
    { kind: 'API tool', agentAuth: 'API key', appAuth: 'API key', path: at('orders-api'), headers: key, request: sampleCall },
    { kind: 'API, direct', agentAuth: 'API key', appAuth: 'API key', path: `/api/default/orders-api${directCall.path}`, headers: key, request: directCall },
  ];
}

export const nameOfCase = ({ kind, agentAuth, appAuth }: Pick<AuthenticationCase, 'kind' | 'agentAuth' | 'appAuth'>): string => `${kind}: ${agentAuth} → ${appAuth}`;
