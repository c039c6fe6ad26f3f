import { taggedUnionOf } from '@gatehouse/config-fields';
import type { z } from 'zod';
import type { PreparedAgentAuth } from './agent-auth-type.ts';
import { apiKey } from './api-key.ts';
import { interactive } from './interactive.ts';
import { passthrough } from './passthrough.ts';

/** Every agent authentication type there is. */
export const agentAuthTypes = [interactive, passthrough, apiKey] as const;

export const agentAuth = taggedUnionOf(agentAuthTypes, 'schema').meta({ id: 'AgentAuth' });

export type AgentAuth = z.output<typeof agentAuth>;

/** Compiles an agent authentication, once per revision. */
export function prepareAgentAuth(config: AgentAuth): PreparedAgentAuth {
  const type = agentAuthTypes.find((candidate) => candidate.type === config.type);
  if (!type) throw new TypeError(`unknown agent authentication type ${config.type}`);
  return (type.prepare as (config: AgentAuth) => PreparedAgentAuth)(config);
}
