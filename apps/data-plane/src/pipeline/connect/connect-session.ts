import { randomUUID } from 'node:crypto';
import type { LegacyClient, SealedSessions, SessionOwner } from '@gatehouse/mcp-protocol';

/**
 * A legacy session with a server that its callers connect accounts for: it may begin before there is an upstream's, and how the
 * client is told of a connection depends on what it said when it began. All of it is in the session's id, sealed.
 */
export interface ConnectSession {
  readonly id: string;
  readonly client: LegacyClient;
  /** The upstream's own id; `null` where it gave none, `undefined` where the gateway has answered `initialize` itself. */
  readonly upstream: string | null | undefined;
}

export const connectSessionPurpose = 'connect-session';

export function sealConnectSession(sessions: SealedSessions, owner: SessionOwner, client: LegacyClient, upstream: string | null | undefined): string {
  return sessions.seal(connectSessionPurpose, owner, JSON.stringify({ id: randomUUID(), client, upstream }));
}

/** @returns `undefined` for one that is another's, broken or expired, or from when nobody connected anything for the server */
export function openConnectSession(sessions: SealedSessions, owner: SessionOwner, sessionId: string): ConnectSession | undefined {
  const opened = sessions.open(connectSessionPurpose, owner, sessionId);
  return opened === undefined ? undefined : (JSON.parse(opened) as ConnectSession);
}
