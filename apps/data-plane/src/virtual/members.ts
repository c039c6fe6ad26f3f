import type { Caller } from '@gatehouse/agent-auth';
import type { ErrorCode } from '@gatehouse/errors';
import { connectTool } from '@gatehouse/mcp-protocol';
import { type PreparedServer, type PreparedVirtual, usesCaller } from '@gatehouse/upstream-request';
import { MemberNames } from '@gatehouse/virtual-servers';
import { serverKey, type Snapshot } from '../snapshot/current-snapshot.ts';

/** A server as a virtual one uses it. */
export interface Member {
  readonly server: PreparedServer;
  readonly names: MemberNames;
}

/** A member that cannot be used, or not now. */
export interface MissingMember {
  /** By name. */
  readonly server: string;
  readonly code: ErrorCode;
}

export interface Members {
  readonly usable: readonly Member[];
  /** Of each of them. */
  readonly names: readonly MemberNames[];
  readonly missing: readonly MissingMember[];
}

/** Of which servers a virtual one is made for this caller. Of those that would not let this one in, nothing is said. */
export function membersFor(snapshot: Snapshot, server: PreparedServer, virtual: PreparedVirtual, caller: Caller): Members {
  const all = allMembers(snapshot, server, virtual);
  if (all.own.every(({ access }) => access.admits(caller))) return all;
  const usable = all.usable.filter((member) => member.server.access.admits(caller));
  const kept = new Set(all.own.filter(({ access }) => !access.admits(caller)).map(({ name }) => name));
  return { usable, names: usable.map(({ names }) => names), missing: all.missing.filter((missing) => !kept.has(missing.server)) };
}

/** As whoever may use all of them has them. */
interface AllMembers extends Members {
  /** Those that there are. */
  readonly own: readonly PreparedServer[];
}

/** By snapshot: any server may be another one in the next. */
const known = new WeakMap<Snapshot, WeakMap<PreparedServer, AllMembers>>();

function allMembers(snapshot: Snapshot, server: PreparedServer, virtual: PreparedVirtual): AllMembers {
  let ofSnapshot = known.get(snapshot);
  if (ofSnapshot === undefined) known.set(snapshot, (ofSnapshot = new WeakMap()));
  let members = ofSnapshot.get(server);
  if (members === undefined) ofSnapshot.set(server, (members = findMembers(snapshot, server, virtual)));
  return members;
}

function findMembers(snapshot: Snapshot, server: PreparedServer, { members }: PreparedVirtual): AllMembers {
  const usable: Member[] = [];
  const missing: MissingMember[] = [];
  const all: PreparedServer[] = [];
  for (const selection of members) {
    const own = snapshot.servers.get(serverKey(server.workspace, selection.server));
    if (own === undefined) {
      missing.push({ server: selection.server, code: 'server_not_found' });
      continue;
    }
    all.push(own);
    const code = unusable(server, own);
    if (code === undefined) usable.push(memberOf(server, own, selection));
    else missing.push({ server: selection.server, code });
  }
  return { usable, names: usable.map(({ names }) => names), missing, own: all };
}

/**
 * A member lets in whoever its own agent authentication lets in, and nobody gets around that by way of a virtual server: the caller
 * has passed the very same, or there is none to pass. Nor does anybody become another one: where the member's upstream is sent what is
 * the caller's, who that is has to be found out by the member's own rules. It was so when the virtual server was saved; either may
 * have changed since.
 */
function unusable(virtual: PreparedServer, own: PreparedServer): ErrorCode | undefined {
  if (!own.enabled) return 'server_disabled';
  if (own.virtual !== undefined) return 'agent_auth_differs';
  if (own.agentAuthKey === virtual.agentAuthKey) return undefined;
  return own.agentAuth.open && !usesCaller(own) ? undefined : 'agent_auth_differs';
}

type Selection = PreparedVirtual['members'][number];

/** Both are new objects with each revision that changes them. */
const prepared = new WeakMap<PreparedServer, WeakMap<PreparedServer, Member>>();

function memberOf(virtual: PreparedServer, own: PreparedServer, selection: Selection): Member {
  let ofVirtual = prepared.get(virtual);
  if (ofVirtual === undefined) prepared.set(virtual, (ofVirtual = new WeakMap()));
  let member = ofVirtual.get(own);
  if (member === undefined) ofVirtual.set(own, (member = prepareMember(virtual, own, selection)));
  return member;
}

/** Whatever somebody brings for one upstream is not for the others. */
const credentialHeaders = ['authorization', 'x-upstream-authorization'];

function prepareMember({ agentAuth: passed }: PreparedServer, own: PreparedServer, selection: Selection): Member {
  // The token that its caller came with is for the virtual server: what may become of it is as there (D2, docs/rules.md). What the
  // member restricts stays restricted.
  const restricted = new Set([...passed.restrictedHeaders, ...own.agentAuth.restrictedHeaders, ...(selection.callerCredential === true ? [] : credentialHeaders)]);
  const agentAuth = { ...passed, restrictedHeaders: [...restricted] };
  const server = { ...own, agentAuth, headerRules: own.headerRules.with(agentAuth) };
  // Whoever has not connected an account yet finds the way to do so.
  return { server, names: new MemberNames(selection, own.connects ? connectTool : undefined) };
}
