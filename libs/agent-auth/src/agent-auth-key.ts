import type { AgentAuth } from './registry.ts';

/** Equal where callers are let in by the very same rules: whoever passed the one passes the other. */
export const agentAuthKey = (config: AgentAuth): string => JSON.stringify(config, inOrder);

/** Fields in one order, however they were written. */
const inOrder = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
