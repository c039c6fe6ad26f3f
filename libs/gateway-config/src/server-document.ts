import { agentAuth } from '@gatehouse/agent-auth';
import { type AppAuth, completeAppAuth, prepareAppAuth, readableAppAuth, writableAppAuth } from '@gatehouse/app-auth';
import { httpUrl, slug } from '@gatehouse/config-fields';
import { canonicalName } from '@gatehouse/header-policy';
import { completeOutboundHeaders, type OutboundHeaders, readableOutboundHeaders, writableOutboundHeaders } from '@gatehouse/outbound-headers';
import { z } from 'zod';
import { access, checkAccess } from './access-rules.ts';
import { serverHeaderPolicy } from './header-policy-document.ts';
import { warning } from './warning.ts';

/** Bounds in seconds; what is absent is the data plane's own default. */
const timeouts = z
  .strictObject({
    connectSeconds: z.number().positive().max(60).optional(),
    responseSeconds: z.number().positive().max(3600).optional().meta({ description: 'To the first byte of the response.' }),
    streamIdleSeconds: z.number().positive().max(86_400).optional().meta({ description: 'Between two pieces of a response.' }),
  })
  .meta({ title: 'Timeouts' });

const upstream = z
  .strictObject({
    url: httpUrl('Upstream URL'),
    transport: z.enum(['streamable-http', 'sse']).optional().meta({ title: 'Transport', description: 'streamable-http when absent.' }),
    timeouts: timeouts.optional(),
  })
  .meta({ id: 'Upstream' });

const serverFields = {
  name: slug('Name'),
  title: z.string().max(200).optional().meta({ title: 'Title' }),
  description: z.string().max(4000).optional().meta({ title: 'Description' }),
  type: z.literal('mcp'),
  upstream,
  agentAuth,
  headerPolicy: serverHeaderPolicy.optional(),
  access: access.optional(),
  enabled: z.boolean().optional(),
};

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

/** A server as it is written: POST, PUT, `apply -f`. */
export const writableServer = z.strictObject({ ...serverFields, appAuth: writableAppAuth.optional(), outboundHeaders: writableOutboundHeaders.optional(), ...optionalReadOnly });

/** One header, one writer: what app authentication sets, no outbound header sets again. */
function checkHeaderNames({ appAuth, outboundHeaders = [] }: { appAuth: AppAuth; outboundHeaders?: OutboundHeaders | undefined }, context: z.RefinementCtx): void {
  const taken = new Set(prepareAppAuth(appAuth).headerNames.map(canonicalName));
  for (const [index, { name }] of outboundHeaders.entries()) {
    if (taken.has(canonicalName(name))) context.addIssue({ code: 'custom', path: ['outboundHeaders', index, 'name'], message: 'is set by appAuth already' });
  }
}

/** A server with every reference resolved and every secret present: what a snapshot holds. */
export const completeServer = z.strictObject({ ...serverFields, appAuth: completeAppAuth, outboundHeaders: completeOutboundHeaders.optional() }).superRefine(checkHeaderNames).superRefine(checkAccess);

/** A server as it is read. */
export const readableServer = z
  .object({ ...readOnlyFields, kind: z.literal('Server'), ...serverFields, appAuth: readableAppAuth, outboundHeaders: readableOutboundHeaders.optional(), enabled: z.boolean(), warnings: z.array(warning) })
  .meta({ id: 'Server' });

export type ServerDocument = z.output<typeof completeServer>;
export type ReadableServer = z.output<typeof readableServer>;
