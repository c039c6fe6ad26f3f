import { GatewayError, toGatewayError } from '@gatehouse/errors';
import { authorizationServerMetadata } from '@gatehouse/gateway-config';
import { cleanHeaders } from '@gatehouse/upstream-request';
import { checkHost } from '../pipeline/check-origin.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import { parseRoute, resourceFormOf } from '../pipeline/match-server.ts';
import { renderError } from '../pipeline/render-error.ts';
import type { IncomingRequest, Reply } from '../pipeline/request.ts';
import { type PreparedAuthorizationServer, serverKey, type Snapshot } from '../snapshot/current-snapshot.ts';
import { authorizationServerPaths } from './authorization-server.ts';
import { protectedResourceMetadata, protectedResourcePrefix } from './protected-resource.ts';

/** What metadata is made of. */
export type MetadataGateway = Pick<Gateway, 'snapshot' | 'limits' | 'originRules' | 'authentication' | 'publicPath'>;

/** Any page may read what anyone may: no origin is asked for, and there is nothing that a cookie or a credential would change. */
const forAnyOrigin = ['access-control-allow-origin', '*', 'access-control-expose-headers', '*'] as const;
const preflight = ['access-control-allow-methods', 'GET, HEAD', 'access-control-allow-headers', '*', 'access-control-max-age', '600'] as const;

/**
 * What clients read before they have a credential: where to get a token for a server, and of whom. Undefined for anything else,
 * which is the pipeline's.
 */
export function answerMetadata(gateway: MetadataGateway, { target, method, headers: rows }: IncomingRequest): Reply | undefined {
  if (!target.startsWith('/.well-known/')) return undefined;
  const path = target.split('?', 1)[0] as string;
  const isResource = path.startsWith(`${protectedResourcePrefix}/`);
  if (!isResource && !authorizationServerPaths.has(path)) return undefined;
  if (method === 'OPTIONS') return { status: 204, headers: [...forAnyOrigin, ...preflight], body: undefined };
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  try {
    // A page that has its own name lead here (DNS rebinding) is told as little as by the pipeline.
    checkHost(cleanHeaders(rows, gateway.limits.headers), gateway.originRules);
    const snapshot = gateway.snapshot();
    return answer(isResource ? describeResource(gateway, snapshot, path.slice(protectedResourcePrefix.length)) : describeAuthorizationServer(snapshot));
  } catch (thrown) {
    const reply = renderError(toGatewayError(thrown), undefined, null);
    return { ...reply, headers: [...reply.headers, ...forAnyOrigin] };
  }
}

function answer(document: object): Reply {
  const body = JSON.stringify(document);
  const headers = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(body)), 'cache-control', 'public, max-age=60', ...forAnyOrigin];
  return { status: 200, headers, body };
}

/** Also where what is in front of us has taken the path before our routes away. */
function describeResource({ authentication: { publicUrl }, publicPath }: MetadataGateway, snapshot: Snapshot, path: string): object {
  const route = parseRoute(path.startsWith(`${publicPath}/`) ? path.slice(publicPath.length) : path);
  // A token is for a server's MCP endpoint, also where it comes to `/api`: that is no resource of its own (RFC 9728 section 3.3).
  const isResource = route?.endpoint === 'mcp' || route?.endpoint === 'sse';
  const server = isResource ? snapshot.servers.get(serverKey(route.workspace, route.name)) : undefined;
  // One answer for a server that is not there, is disabled, or has nothing to say here.
  if (route === undefined || !server?.enabled || server.agentAuth.protectedResource === undefined) throw new GatewayError('not_found');
  return protectedResourceMetadata(publicUrl, resourceFormOf(route), server, authorizationServerOf(snapshot));
}

const describeAuthorizationServer = (snapshot: Snapshot): object => {
  const { issuer, registersClients } = authorizationServerOf(snapshot);
  return authorizationServerMetadata(issuer, registersClients);
};

function authorizationServerOf({ authorizationServer }: Snapshot): PreparedAuthorizationServer {
  if (authorizationServer === undefined) throw new GatewayError('caller_keys_unavailable', { detail: 'no authorization server in the snapshot' });
  return authorizationServer;
}
