import { randomUUID } from 'node:crypto';
import type { LegacyClient, SealedSessions, SessionOwner } from '@gatehouse/mcp-protocol';
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
  /** By name of the member; nothing for one that is modern. */
  readonly members?: Readonly<Record<string, readonly [protocolVersion: string, sessionId: string | null] | null>>;
}

/** Ids travel in a header with every request: what does not fit is opened again where it is needed. */
const maxLength = 5_000;

export function sealVirtualSession(sessions: SealedSessions, owner: SessionOwner, client: LegacyClient, opened: ReadonlyMap<string, MemberSession>): string {
  const members: Record<string, readonly [string, string | null] | null> = {};
  let length = 0;
  for (const [name, session] of opened) {
    const entry = session.era === 'modern' ? null : ([session.protocolVersion, session.sessionId ?? null] as const);
    length += name.length + JSON.stringify(entry).length + 4;
    if (length > maxLength) break;
    members[name] = entry;
  }
  const session: VirtualSession = { id: randomUUID(), client, upstream: null, members };
  return sessions.seal(connectSessionPurpose, owner, JSON.stringify(session));
}

/** As it was when the client's session began. */
export function memberSessionOf({ members = {} }: VirtualSession, name: string): MemberSession | undefined {
  const entry = Object.hasOwn(members, name) ? members[name] : undefined;
  if (entry === undefined) return undefined;
  return entry === null ? modernSession : { era: 'legacy', protocolVersion: entry[0], sessionId: entry[1] ?? undefined };
}
