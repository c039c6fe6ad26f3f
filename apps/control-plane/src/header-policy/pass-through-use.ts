import type { GlobalHeaderPolicy } from '@gatehouse/gateway-config';
import type { PreparedServer } from '@gatehouse/upstream-request';
import { z } from 'zod';
import { rowFates } from './row-fates.ts';

const origin = z.enum(['server', 'global', 'environment', 'built-in']).meta({ description: 'Where the rule was written.' });

/** How one server uses pass-through. */
export const passThroughUse = z
  .object({
    id: z.string(),
    workspace: z.string(),
    name: z.string(),
    enabled: z.boolean(),
    agentAuth: z.string().meta({ description: 'The type.' }),
    validatesJwt: z.boolean().meta({ description: 'Of agentAuth passthrough: whether the caller’s JWT is checked.' }),
    open: z.boolean().meta({ description: 'Whether whoever reaches the gateway can use a credential that is stored for it.' }),
    appAuth: z.string().meta({ description: 'The type.' }),
    forwards: z.object({
      mode: z.enum(['none', 'all', 'rows']),
      from: origin,
      headers: z.array(z.object({ source: z.string(), target: z.string(), from: origin })).meta({ description: 'With mode rows: those that can pass.' }),
    }),
    authorization: z.enum(['forwarded', 'never']).meta({ description: 'Whether the caller’s own Authorization goes upstream.' }),
    upstreamAuthorization: z.enum(['accepted', 'never']).meta({ description: 'Whether X-Upstream-Authorization goes upstream as Authorization.' }),
    restricted: z.array(z.object({ pattern: z.string(), from: origin })),
  })
  .meta({ id: 'PassThroughUse' });

export type PassThroughUse = z.output<typeof passThroughUse>;

/** What a server passes on under a global policy: read from the rules that data planes compile, so that both mean the same. */
export function describePassThrough(server: PreparedServer, policy: GlobalHeaderPolicy, open: boolean): PassThroughUse {
  const rules = server.headerRules.under(policy);
  const { selection, switchedOff, restricted } = rules.options;
  const passes = (name: string): boolean => rules.decide(name).passes.some(({ outgoingName }) => outgoingName !== undefined);
  const headers = rowFates(rules).flatMap(({ row: { source, target, from }, fate }) => (fate === 'passes' ? [{ source, target, from }] : []));
  const { id, workspace, name, enabled, agentAuth, appAuth } = server;
  return {
    id,
    workspace,
    name,
    enabled,
    agentAuth: agentAuth.type,
    validatesJwt: agentAuth.type === 'passthrough' && !agentAuth.open,
    open,
    appAuth: appAuth.type,
    forwards: switchedOff ? { mode: 'none', from: switchedOff.from, headers: [] } : { mode: selection.mode, from: selection.from, headers },
    authorization: passes('Authorization') ? 'forwarded' : 'never',
    upstreamAuthorization: passes('X-Upstream-Authorization') ? 'accepted' : 'never',
    restricted: restricted.map(({ pattern, from }) => ({ pattern: pattern.text, from })),
  };
}

/** Whether it belongs into the report: anything of the caller's may pass, or would if its policy or the switch were another. */
export function usesPassThrough({ agentAuth, appAuth, forwards, upstreamAuthorization }: PassThroughUse): boolean {
  return [agentAuth, appAuth].includes('passthrough') || forwards.mode === 'all' || forwards.headers.length > 0 || upstreamAuthorization === 'accepted';
}
