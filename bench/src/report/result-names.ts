import type { AuthenticationResult } from './measure-authentication.ts';

/** Short, and of a peer only what it is: its task is that of the first case. */
export function nameOfResult({ proxy, kind, agentAuth, appAuth }: AuthenticationResult): string {
  if (proxy !== 'gateway') return `${proxy}, the same task as the first`;
  const authentication = `${agentAuth} → ${appAuth}`;
  return kind === 'MCP tool' ? authentication : `${kind}: ${authentication}`;
}
