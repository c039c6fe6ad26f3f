import { hash } from 'node:crypto';
import { agentAuthKey, type PreparedAgentAuth, prepareAgentAuth } from '@gatehouse/agent-auth';
import type { ApiOperation } from '@gatehouse/api-tools';
import { type PreparedAppAuth, prepareAppAuth } from '@gatehouse/app-auth';
import { type PreparedLimits, prepareLimits } from '@gatehouse/call-limits';
import type { ConnectOptions } from '@gatehouse/egress';
import { AccessRules, type ServerDocument, type UpstreamServerDocument, type VirtualMember } from '@gatehouse/gateway-config';
import { ToolRules } from '@gatehouse/mcp-protocol';
import { type PreparedOutboundHeader, prepareOutboundHeaders } from '@gatehouse/outbound-headers';
import { ServerHeaderRules } from './server-header-rules.ts';

/** A server compiled for calls: everything that can be decided once per revision is decided here. */
export interface PreparedServer {
  readonly id: string;
  readonly workspace: string;
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly enabled: boolean;
  /** Another one where callers are let in in another way, may call other tools, or reach another upstream. */
  readonly fingerprint: string;
  /** Another one where what callers connect is for another app, upstream, or more: their tokens are others then. */
  readonly connectionKey: string;
  /** Whether callers connect accounts of their own for it, or enter credentials, and may have none yet. */
  readonly connects: boolean;
  readonly agentAuth: PreparedAgentAuth;
  /** Equal to another server's where both let in the same callers. */
  readonly agentAuthKey: string;
  /** Who may call. */
  readonly access: AccessRules;
  /** Which tools; absent where all may be called. */
  readonly tools: ToolRules | undefined;
  /** How often, and how many at a time; absent where its document says nothing of it. */
  readonly limits: PreparedLimits | undefined;
  readonly appAuth: PreparedAppAuth;
  readonly outboundHeaders: readonly PreparedOutboundHeader[];
  readonly headerRules: ServerHeaderRules;
  readonly upstream: PreparedUpstream;
  /** Of an API: its tools, as its document has them. Undefined where the upstream has tools of its own. */
  readonly operations: readonly ApiOperation[] | undefined;
  /** Of a virtual server, which has no upstream and no credential of its own. */
  readonly virtual: PreparedVirtual | undefined;
}

export interface PreparedVirtual {
  readonly members: readonly VirtualMember[];
  /** Whether lists fail where a member is down; otherwise it is left out of them. */
  readonly failsWithoutMembers: boolean;
}

export interface PreparedUpstream {
  /** Workspace and id of the server that it stands behind; absent where that is none, but another data plane. */
  readonly server?: string;
  readonly url: string;
  readonly origin: string;
  /** Path and query of the configured URL. */
  readonly path: string;
  /** `http` speaks no MCP; `none` is there for nobody to be called. */
  readonly transport: 'streamable-http' | 'sse' | 'http' | 'none';
  readonly connect: ConnectOptions;
  readonly responseTimeoutMs: number | undefined;
  readonly streamIdleTimeoutMs: number | undefined;
}

export function prepareServer(id: string, workspace: string, server: ServerDocument): PreparedServer {
  const agentAuth = prepareAgentAuth(server.agentAuth);
  const common = {
    id,
    workspace,
    name: server.name,
    title: server.title ?? server.name,
    enabled: server.enabled ?? true,
    fingerprint: fingerprintOf(server),
    agentAuth,
    agentAuthKey: agentAuthKey(server.agentAuth),
    access: new AccessRules(server.access?.allow),
    tools: toolRulesOf(server.access?.tools),
    limits: server.limits === undefined ? undefined : prepareLimits(`${workspace}/${id}`, server.limits),
  };
  if (server.type === 'virtual') {
    const virtual = { members: server.members, failsWithoutMembers: server.unavailableMembers === 'fail' };
    const nothing = { appAuth: prepareAppAuth({ type: 'none' }), outboundHeaders: [] };
    // Any of its members may have accounts to connect; which, depends on what they are when they are called.
    return { ...common, ...nothing, connectionKey: '', connects: true, headerRules: new ServerHeaderRules({ headerPolicy: undefined, agentAuth, ...nothing }), upstream: noUpstream(`${workspace}/${id}`), operations: undefined, virtual };
  }
  const appAuth = prepareAppAuth(server.appAuth);
  const outboundHeaders = prepareOutboundHeaders(server.outboundHeaders ?? []);
  return {
    ...common,
    connectionKey: connectionKeyOf(id, server),
    connects: appAuth.connects === true || outboundHeaders.some((header) => header.connects),
    appAuth,
    outboundHeaders,
    headerRules: new ServerHeaderRules({ headerPolicy: server.headerPolicy, agentAuth, appAuth, outboundHeaders }),
    upstream: prepareUpstream(`${workspace}/${id}`, server),
    operations: server.type === 'api' ? server.tools.operations : undefined,
    virtual: undefined,
  };
}

function fingerprintOf(server: ServerDocument): string {
  const { agentAuth, access } = server;
  const behind = server.type === 'virtual' ? [server.members] : [server.upstream.url, transportOf(server)];
  return hash('sha256', JSON.stringify([agentAuth, access?.tools, ...behind]), 'base64url');
}

/** All of app authentication, and what people enter: what may be added to them counts too. Secrets show nothing of themselves as JSON. */
function connectionKeyOf(id: string, { appAuth, outboundHeaders = [], upstream: { url } }: UpstreamServerDocument): string {
  const entered = outboundHeaders.filter(({ source }) => source.type === 'credential' && source.scope === 'user');
  return hash('sha256', JSON.stringify([id, appAuth, entered, url]), 'base64url');
}

function toolRulesOf(tools: NonNullable<ServerDocument['access']>['tools']): ToolRules | undefined {
  return tools?.allow === undefined && tools?.deny === undefined ? undefined : new ToolRules(tools);
}

function prepareUpstream(id: string, server: UpstreamServerDocument): PreparedUpstream {
  const { url: text, timeouts } = server.upstream;
  const url = new URL(text);
  return {
    server: id,
    url: text,
    origin: url.origin,
    path: url.pathname + url.search,
    transport: transportOf(server),
    connect: timeouts?.connectSeconds === undefined ? {} : { connectTimeoutMs: milliseconds(timeouts.connectSeconds) },
    responseTimeoutMs: timeouts?.responseSeconds === undefined ? undefined : milliseconds(timeouts.responseSeconds),
    streamIdleTimeoutMs: timeouts?.streamIdleSeconds === undefined ? undefined : milliseconds(timeouts.streamIdleSeconds),
  };
}

/** Stands where the others have theirs: sessions are bound to its URL, and nothing is ever sent there. */
const noUpstream = (server: string): PreparedUpstream => ({ server, url: 'virtual:', origin: 'null', path: '/', transport: 'none', connect: {}, responseTimeoutMs: undefined, streamIdleTimeoutMs: undefined });

const transportOf = (server: UpstreamServerDocument): PreparedUpstream['transport'] => (server.type === 'api' ? 'http' : (server.upstream.transport ?? 'streamable-http'));

/** 0 would be no limit at all. */
const milliseconds = (seconds: number): number => Math.max(1, Math.round(seconds * 1000));
