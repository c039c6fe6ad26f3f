import { ConnectError } from '@gatehouse/access-tokens';
import { GatewayError } from '@gatehouse/errors';
import { rpcError, rpcErrorCodes, type RpcId } from '@gatehouse/mcp-protocol';
import { type Candidate, candidatesOf, type ListKind, listKinds, matchesTemplate, ownerAmong, type VirtualSubject, withOwnName } from '@gatehouse/virtual-servers';
import { answerUnconnected } from '../pipeline/connect/answer-unconnected.ts';
import { ToolRefusal } from '../pipeline/check-tools.ts';
import type { Reply } from '../pipeline/request.ts';
import { isConnectTool, listsFor, memberFailed } from './answer-list.ts';
import type { MemberLists } from './member-lists.ts';
import type { MissingMember } from './members.ts';
import { invalidParams, jsonReply } from './own-replies.ts';
import { replyForCaller } from './reply-for-caller.ts';
import { patienceMs, type VirtualCall } from './virtual-call.ts';

/**
 * A call of what one member has: there, by its own name.
 * @throws ToolRefusal, GatewayError as the member's pipeline does
 */
export async function callMember(virtualCall: VirtualCall, subject: VirtualSubject): Promise<Reply> {
  const { kind, listed } = subject;
  const { gateway, admitted, record, calls, members, asked } = virtualCall;
  const { call, server, request, route, caller } = admitted;
  const { message } = call;
  const id = message?.id ?? null;
  // A tool that may not be called is one that is not there; but for the way to connect an account, which is no tool that rules are about.
  const isDenied = kind === 'tools' && server.tools?.mayCall(listed) === false;
  const refusal = (): ToolRefusal => new ToolRefusal(unknown(kind, listed, id, call.era));
  if (isDenied && !members.usable.some((member) => isConnectTool(member, listed))) throw refusal();

  // Mostly there is one that it can be of.
  const candidates = candidatesOf(members.names, kind === 'resourceTemplates' ? 'resources' : kind, listed);
  const [only] = candidates;
  const found = candidates.length > 1 ? await ownerOf(virtualCall, kind, listed, candidates) : only && { owner: only };
  const member = found !== undefined && 'owner' in found ? members.usable[found.owner.member] : undefined;
  if (isDenied && !isConnectTool(member, listed)) throw refusal();
  if (found !== undefined && 'missing' in found) {
    record.error = new GatewayError(found.missing.code, { detail: `member ${found.missing.server}` });
    return memberFailed(id, found.missing);
  }
  if (found === undefined || member === undefined) return jsonReply(unknown(kind, listed, id, call.era));
  const { own } = found.owner;
  const text = own === listed ? asked.text : withOwnName(asked.text, subject, own);
  try {
    const answer = await calls.send(member, { httpMethod: 'POST', method: message?.method, id, name: message?.method === 'completion/complete' ? undefined : own, text, isCall: true }, record);
    const reply = await replyForCaller(answer, member, { era: call.era, method: message?.method, maxBytes: gateway.limits.filteredBytes });
    // It is open as long as its caller is let in there and here.
    return reply.admission === undefined ? reply : { ...reply, admission: { server, caller, members: [reply.admission] } };
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    // The member's account, and the caller's own call: it is sent again to the virtual server.
    record.error = error;
    return answerUnconnected(gateway, request, { route, server: member.server, caller, call }, error);
  }
}

type Found = { readonly owner: Candidate } | { readonly missing: MissingMember };

/** Members are asked all at once what they have, and those are waited for that it depends on. */
async function ownerOf(virtualCall: VirtualCall, kind: ListKind, listed: string, candidates: readonly Candidate[]): Promise<Found | undefined> {
  if (kind === 'resources' || kind === 'resourceTemplates') return ownerOfResource(virtualCall, listed, candidates);
  const lists = listsFor(virtualCall, kind, listRequest(virtualCall, kind));
  for (const { member } of candidates.slice(0, -1)) void lists.learn(member);
  const owner = await ownerAmong(candidates, async (member, own) => {
    await lists.learn(member);
    return lists.failureOf(member) === undefined ? lists.has(member, own) : undefined;
  });
  return owner !== undefined && 'unknown' in owner ? missingIn(lists, owner.unknown) : owner;
}

/** By its URI, as it is listed, or by a template of somebody's: it is offered to nobody else. As with names, one that is down comes first. */
async function ownerOfResource(virtualCall: VirtualCall, uri: string, candidates: readonly Candidate[]): Promise<Found | undefined> {
  const until = virtualCall.gateway.now() + patienceMs(virtualCall.gateway);
  const listed = listsFor(virtualCall, 'resources', listRequest(virtualCall, 'resources'), until);
  for (const { member } of candidates) void listed.learn(member);
  let unknownMember: number | undefined;
  for (const owner of candidates) {
    await listed.learn(owner.member);
    if (listed.has(owner.member, uri)) return unknownMember === undefined ? { owner } : missingIn(listed, unknownMember);
    if (listed.failureOf(owner.member) !== undefined) unknownMember ??= owner.member;
  }
  const templates = listsFor(virtualCall, 'resourceTemplates', listRequest(virtualCall, 'resourceTemplates'), until);
  for (const { member } of candidates) if (listed.failureOf(member) === undefined) void templates.learn(member);
  for (const owner of candidates) {
    if (owner.member === unknownMember) return missingIn(listed, owner.member);
    await templates.learn(owner.member);
    if (templates.failureOf(owner.member) !== undefined) return missingIn(templates, owner.member);
    if ([...templates.namesOf(owner.member)].some((template) => template === uri || matchesTemplate(template, uri))) return { owner };
  }
  return undefined;
}

const missingIn = (lists: MemberLists, member: number): Found | undefined => {
  const missing = lists.failureOf(member);
  return missing && { missing };
};

/** In the caller's name, and with what its revision says in each message. */
function listRequest({ asked, admitted }: VirtualCall, kind: ListKind): string {
  const { progressToken: _token, ...meta } = (typeof asked.meta === 'object' && asked.meta !== null ? asked.meta : {}) as Record<string, unknown>;
  return JSON.stringify({ jsonrpc: '2.0', id: admitted.call.message?.id ?? null, method: listKinds[kind].method, params: { _meta: meta } });
}

const resourceNotFound = -32_002;

/** In the words of the specification (MCP, server/tools, server/resources, error handling). */
function unknown(kind: ListKind, listed: string, id: RpcId, era: 'legacy' | 'modern'): string {
  if (kind === 'tools') return rpcError({ id, code: rpcErrorCodes.invalidParams, message: `Unknown tool: ${listed}` });
  if (kind === 'prompts') return rpcError({ id, code: rpcErrorCodes.invalidParams, message: `Unknown prompt: ${listed}` });
  return rpcError({ id, code: era === 'modern' ? rpcErrorCodes.invalidParams : resourceNotFound, message: 'Resource not found', data: { uri: listed } });
}

export const missingName = (id: RpcId): Reply => invalidParams(id, 'The request does not say what it is about.');
