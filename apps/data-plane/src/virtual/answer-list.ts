import { type ErrorCode, errorCodes, GatewayError } from '@gatehouse/errors';
import { connectTool, rpcError, rpcErrorCodes } from '@gatehouse/mcp-protocol';
import { type ListKind, mergePages, overlappingMembers, type Pages, readCursor, writeCursor } from '@gatehouse/virtual-servers';
import type { Reply } from '../pipeline/request.ts';
import { MemberLists } from './member-lists.ts';
import type { Member, MissingMember } from './members.ts';
import { invalidParams, jsonReply } from './own-replies.ts';
import { scopeOf } from './scope-of.ts';
import { patienceMs, type VirtualCall } from './virtual-call.ts';

/** What its caller can do something about is no reason to withhold what the others have. */
const ofCaller = new Set<ErrorCode>(['connect_required', 'reconnect_required', 'credential_missing', 'credential_refused']);

/** One list of what all members have, a page at a time. */
export async function answerList(virtualCall: VirtualCall, kind: ListKind): Promise<Reply> {
  const { gateway, admitted, virtual, members, asked, record } = virtualCall;
  const { call, server } = admitted;
  const id = call.message?.id ?? null;
  const purpose = `virtual-list:${kind}`;
  const { cursor } = asked;
  const { sessions } = gateway.callContext;
  const opened = typeof cursor === 'string' ? sessions.open(purpose, call.owner, cursor) : undefined;
  // Another caller's, another list's, or nobody's (MCP, server/utilities/pagination).
  if (cursor !== undefined && opened === undefined) return invalidParams(id, 'Invalid cursor');

  const lists = listsFor(virtualCall, kind, asked.text);
  const fetched = await lists.pages(opened === undefined ? undefined : readCursor(opened));
  const missing = [...(opened === undefined ? members.missing : []), ...fetched.missing];
  const failed = virtual.failsWithoutMembers ? missing.find(({ code }) => !ofCaller.has(code)) : undefined;
  if (failed !== undefined) {
    record.error = new GatewayError(failed.code, { detail: `member ${failed.server}` });
    return memberFailed(id, failed);
  }
  const { names } = members;
  // Those that answer are not taken for slow because another one was.
  const until = gateway.now() + patienceMs(gateway);
  await Promise.all([...overlappingMembers(names, kind, fetched.pages)].map((member) => lists.learn(member, until)));
  const mayList = kind === 'tools' && server.tools !== undefined ? mayListTools(virtualCall) : () => true;
  const merged = mergePages(names, kind, fetched.pages, lists.has, mayList);

  const next = new Map(members.usable.flatMap((member, index) => nextOf(fetched.pages, index).map((more) => [member.server.name, more] as const)));
  const meta = {
    ...(missing.length > 0 && { 'gatehouse/unavailable': missing }),
    ...(merged.shadowed.length > 0 && { 'gatehouse/shadowed': merged.shadowed.map(({ member, listed }) => ({ server: members.usable[member]?.server.name, name: listed })) }),
  };
  const isModern = call.era === 'modern';
  const rest = {
    ...(next.size > 0 && { nextCursor: sessions.seal(purpose, call.owner, writeCursor(next)) }),
    ...(isModern && { resultType: 'complete', ttlMs: missing.length > 0 ? 0 : ttlOf(fetched.pages), cacheScope: 'private' }),
    ...(Object.keys(meta).length > 0 && { _meta: meta }),
  };
  const others = JSON.stringify(rest).slice(1);
  return jsonReply(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"${kind}":[${merged.items.join(',')}]${others === '}' ? '' : ','}${others}}`);
}

/**
 * What members list, for one call.
 * @param until members are waited for; milliseconds since the epoch
 */
export function listsFor({ gateway, admitted, members, calls }: VirtualCall, kind: ListKind, text: string, until = gateway.now() + patienceMs(gateway)): MemberLists {
  const scopes = new Map<Member, string | undefined>();
  const scope = (member: Member): string | undefined => {
    if (!scopes.has(member)) scopes.set(member, scopeOf(admitted, member));
    return scopes.get(member);
  };
  const context = { calls, members: members.usable, names: gateway.virtual.names, scopeOf: scope, until, now: () => gateway.now(), maxBytes: pageBytes(gateway.limits.filteredBytes, members.usable.length), text, id: admitted.call.message?.id ?? null };
  return new MemberLists(context, kind);
}

/** All that is read for one list at the same time is no more than a few answers. */
const pageBytes = (filteredBytes: number, members: number): number => Math.min(filteredBytes, Math.ceil((4 * filteredBytes) / members));

/** By the names that they have here. The way to connect an account is no tool that rules are about. */
function mayListTools({ admitted: { server }, members }: VirtualCall): (listed: string, member: number) => boolean {
  return (listed, member) => server.tools?.mayCall(listed) !== false || isConnectTool(members.usable[member], listed);
}

/** @param member whose the name is */
export const isConnectTool = (member: Member | undefined, listed: string): boolean => member?.server.connects === true && member.names.ownOf('tools', listed) === connectTool;

const nextOf = (pages: Pages, index: number): string[] => {
  const next = pages[index]?.nextCursor;
  return next === undefined ? [] : [next];
};

/** As long as the one that changes soonest; not at all where one says nothing. */
const ttlOf = (pages: Pages): number => Math.min(...pages.flatMap((page) => (page === undefined ? [] : [page.ttlMs ?? 0])), maxTtlMs);
const maxTtlMs = 86_400_000;

/** Of one without which nothing can be said. */
export function memberFailed(id: string | number | null, { server, code }: MissingMember): Reply {
  const { status, message } = errorCodes[code];
  return jsonReply(rpcError({ id, code: rpcErrorCodes.gatewayError, message: `${server}: ${message}`, data: { code, member: server } }), status);
}
