import type { SealedSessions } from '@gatehouse/mcp-protocol';
import type { PendingConnections } from './pending-connections.ts';
import type { UpstreamSessions } from './upstream-sessions.ts';

/** What callers need who have no connection yet, or just made one. */
export interface Connecting {
  readonly pending: PendingConnections;
  readonly upstreamSessions: UpstreamSessions;
  /** What modern clients bring back. */
  readonly requestStates: SealedSessions;
}
