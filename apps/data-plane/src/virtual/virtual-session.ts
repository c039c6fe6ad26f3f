import { randomUUID } from 'node:crypto';
import type { LegacyClient, SealedSessions, SessionOwner } from '@gatehouse/mcp-protocol';
import type { PreparedServer } from '@gatehouse/upstream-request';
import { type ConnectSession, connectSessionPurpose } from '../pipeline/connect/connect-session.ts';

/** How a member is spoken with. */
export type MemberSession =
  /** Every message says what there is to know (MCP 2026-07-28). */
  | { readonly era: 'modern' }
  | {
      readonly era: 'legacy';
      /** The member's own id; `undefined` where it gave none. */
      readonly sessionId: string | undefined;
      /** What was agreed on with it. */
      readonly protocolVersion: string;
    };

export const modernSession: MemberSession = { era: 'modern' };

/**
 * The one session of a legacy client with all members: their own are in its id, so that any replica can go on with each. How a client
 * is shown the way to an account is in it too, as in that of every server that callers connect accounts for.
 */
export interface VirtualSession extends ConnectSession {
  /** By id of the member. */
  readonly members?: Readonly<Record<string, Entry>>;
}

/** What the member was, as another one of its id, or at another URL, must not be told of the session; then, of one that is not modern, what was agreed on. */
type Entry = readonly [fingerprint: string, protocolVersion?: string, sessionId?: string];

type SessionServer = Pick<PreparedServer, 'id' | 'fingerprint'>;

const shortFingerprint = ({ fingerprint }: SessionServer): string => fingerprint.slice(0, 16);

/** Ids travel in a header with every request: what does not fit is opened again where it is needed. */
const maxLength = 5_000;

export function sealVirtualSession(sessions: SealedSessions, owner: SessionOwner, client: LegacyClient, opened: ReadonlyMap<SessionServer, MemberSession>): string {
  const members: Record<string, Entry> = {};
  let length = 0;
  for (const [server, session] of opened) {
    const entry = entryOf(server, session);
    length += server.id.length + JSON.stringify(entry).length + 4;
    if (length > maxLength) break;
    members[server.id] = entry;
  }
  const session: VirtualSession = { id: randomUUID(), client, upstream: null, members };
  return sessions.seal(connectSessionPurpose, owner, JSON.stringify(session));
}

function entryOf(server: SessionServer, session: MemberSession): Entry {
  const fingerprint = shortFingerprint(server);
  if (session.era === 'modern') return [fingerprint];
  return session.sessionId === undefined ? [fingerprint, session.protocolVersion] : [fingerprint, session.protocolVersion, session.sessionId];
}

/** As it was when the client's session began; `undefined` for a server that has become another one since. */
export function memberSessionOf({ members = {} }: VirtualSession, server: SessionServer): MemberSession | undefined {
  const entry = Object.hasOwn(members, server.id) ? members[server.id] : undefined;
  if (entry === undefined || entry[0] !== shortFingerprint(server)) return undefined;
  const [, protocolVersion, sessionId] = entry;
  return protocolVersion === undefined ? modernSession : { era: 'legacy', protocolVersion, sessionId };
}
