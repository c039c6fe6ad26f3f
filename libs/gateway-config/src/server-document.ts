import { agentAuth } from '@gatehouse/agent-auth';
import { apiOperation } from '@gatehouse/api-tools';
import { type AppAuth, completeAppAuth, prepareAppAuth, readableAppAuth, writableAppAuth } from '@gatehouse/app-auth';
import { httpUrl, slug } from '@gatehouse/config-fields';
import { canonicalName } from '@gatehouse/header-policy';
import { completeOutboundHeaders, type OutboundHeaders, readableOutboundHeaders, writableOutboundHeaders } from '@gatehouse/outbound-headers';
import { z } from 'zod';
import { access, checkAccess } from './access-rules.ts';
import { callLimits } from './call-limits.ts';
import { serverHeaderPolicy } from './header-policy-document.ts';
import { toolsSource } from './tools-source.ts';
import { unavailableMembers, virtualMembers } from './virtual-members.ts';
import { warning } from './warning.ts';

/** Bounds in seconds; what is absent is the data plane's own default. */
const timeouts = z
  .strictObject({
    connectSeconds: z.number().positive().max(60).optional(),
    responseSeconds: z.number().positive().max(3600).optional().meta({ description: 'To the first byte of the response.' }),
    streamIdleSeconds: z.number().positive().max(86_400).optional().meta({ description: 'Between two pieces of a response; streams that only listen (GET, subscriptions/listen) may be silent for longer.' }),
  })
  .meta({ title: 'Timeouts' });

const upstreamUrl = httpUrl('Upstream URL');

const mcpUpstream = z
  .strictObject({
    url: upstreamUrl,
    transport: z.enum(['streamable-http', 'sse']).optional().meta({ title: 'Transport', description: 'streamable-http when absent.' }),
    timeouts: timeouts.optional(),
  })
  .meta({ id: 'Upstream' });

const apiUpstream = z.strictObject({ url: upstreamUrl, timeouts: timeouts.optional() }).meta({ id: 'ApiUpstream' });

const about = {
  name: slug('Name'),
  title: z.string().max(200).optional().meta({ title: 'Title' }),
  description: z.string().max(4000).optional().meta({ title: 'Description' }),
};
const callers = { access: access.optional(), limits: callLimits.optional(), enabled: z.boolean().optional() };
/** Of the types that have an upstream of their own. */
const headers = { headerPolicy: serverHeaderPolicy.optional() };

const mcpFields = { ...about, type: z.literal('mcp'), upstream: mcpUpstream, agentAuth, ...headers, ...callers };
const apiFields = { ...about, type: z.literal('api'), upstream: apiUpstream, tools: toolsSource, agentAuth, ...headers, ...callers };
/** Each member has an upstream, and with it credentials and a header policy, of its own. */
const virtualFields = { ...about, type: z.literal('virtual'), members: virtualMembers, unavailableMembers: unavailableMembers.optional(), agentAuth, ...callers };

/** What reading adds. Accepted when it is sent back, and then ignored. */
const readOnlyFields = {
  id: z.string(),
  workspace: z.string(),
  url: z.string(),
  revision: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
};

const optionalReadOnly = z
  .object({ ...readOnlyFields, kind: z.literal('Server'), warnings: z.array(warning) })
  .partial().shape;

const writableAuth = { appAuth: writableAppAuth.optional(), outboundHeaders: writableOutboundHeaders.optional() };
const completeAuth = { appAuth: completeAppAuth, outboundHeaders: completeOutboundHeaders.optional() };
const readableAuth = { appAuth: readableAppAuth, outboundHeaders: readableOutboundHeaders.optional() };
const readable = { ...readOnlyFields, kind: z.literal('Server') };
const readableEnd = { enabled: z.boolean(), warnings: z.array(warning) };

/** A server as it is written, by its type. */
export const writableServerTypes = {
  mcp: z.strictObject({ ...mcpFields, ...writableAuth, ...optionalReadOnly }),
  api: z.strictObject({ ...apiFields, ...writableAuth, ...optionalReadOnly }),
  virtual: z.strictObject({ ...virtualFields, ...optionalReadOnly }),
};

export type ServerType = keyof typeof writableServerTypes;

/** A server as it is written: POST, PUT, `apply -f`. */
export const writableServer = z.discriminatedUnion('type', [writableServerTypes.mcp, writableServerTypes.api, writableServerTypes.virtual]).meta({ id: 'ServerInput' });

/** What a written document is checked against: without a type, everything that it lacks of what most are is said, and not its type alone. */
export function writableServerFor(document: unknown): z.ZodType<z.output<typeof writableServer>> {
  const isTyped = typeof document === 'object' && document !== null && (document as { type?: unknown }).type !== undefined;
  return isTyped ? writableServer : writableServerTypes.mcp;
}

/** One header, one writer: what app authentication sets, no outbound header sets again. */
function checkHeaderNames({ appAuth, outboundHeaders = [] }: { appAuth: AppAuth; outboundHeaders?: OutboundHeaders | undefined }, context: z.RefinementCtx): void {
  const taken = new Set(prepareAppAuth(appAuth).headerNames.map(canonicalName));
  for (const [index, { name }] of outboundHeaders.entries()) {
    if (taken.has(canonicalName(name))) context.addIssue({ code: 'custom', path: ['outboundHeaders', index, 'name'], message: 'is set by appAuth already' });
  }
}

/** The parts of a complete server, by its type: what each is checked against by itself. */
export const completeServerTypes = {
  mcp: z.strictObject({ ...mcpFields, ...completeAuth }),
  /** Imported, edited, and without those that are left out. */
  api: z.strictObject({ ...apiFields, tools: z.strictObject({ operations: z.array(apiOperation) }), ...completeAuth }),
  virtual: z.strictObject(virtualFields),
};

/** A server with every reference resolved and every secret present: what a snapshot holds. */
export const completeServer = z.discriminatedUnion('type', [
  completeServerTypes.mcp.superRefine(checkHeaderNames).superRefine(checkAccess),
  completeServerTypes.api.superRefine(checkHeaderNames).superRefine(checkAccess),
  completeServerTypes.virtual.superRefine(checkAccess),
]);

const readableMcpServer = z.object({ ...readable, ...mcpFields, ...readableAuth, ...readableEnd }).meta({ id: 'McpServer' });
const readableApiServer = z.object({ ...readable, ...apiFields, ...readableAuth, ...readableEnd }).meta({ id: 'ApiServer' });
const readableVirtualServer = z.object({ ...readable, ...virtualFields, ...readableEnd }).meta({ id: 'VirtualServer' });

/** A server as it is read. */
export const readableServer = z.discriminatedUnion('type', [readableMcpServer, readableApiServer, readableVirtualServer]).meta({ id: 'Server' });

/** What every server has as it is read. */
export const readableServerFields = z.object({ ...readable, name: about.name, ...readableEnd });

export type ServerDocument = z.output<typeof completeServer>;
/** Of the types that have an upstream of their own. */
export type UpstreamServerDocument = Extract<ServerDocument, { readonly type: 'mcp' | 'api' }>;
export type VirtualServerDocument = Extract<ServerDocument, { readonly type: 'virtual' }>;
export type ReadableServer = z.output<typeof readableServer>;
/** Of the types that have an upstream of their own. */
export type ReadableUpstreamServer = Extract<ReadableServer, { readonly type: 'mcp' | 'api' }>;
