import { ConnectError } from '@gatehouse/access-tokens';
import { rpcError, rpcErrorCodes, type RpcId } from '@gatehouse/mcp-protocol';
import { type Candidate, candidatesOf, type ListKind, listKinds, matchesTemplate, ownerAmong, type VirtualSubject, withOwnName } from '@gatehouse/virtual-servers';
import { answerUnconnected } from '../pipeline/connect/answer-unconnected.ts';
import { ToolRefusal } from '../pipeline/check-tools.ts';
import type { Reply } from '../pipeline/request.ts';
import { isConnectTool, listsFor } from './answer-list.ts';
import { invalidParams, jsonReply } from './own-replies.ts';
import { replyForCaller } from './reply-for-caller.ts';
import type { VirtualCall } from './virtual-call.ts';

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
  // A tool that may not be called is one that is not there.
  if (kind === 'tools' && server.tools?.mayCall(listed) === false && !members.usable.some((member) => isConnectTool(member, listed))) throw new ToolRefusal(unknown(kind, listed, id, call.era));

  // Mostly there is one that it can be of.
  const candidates = candidatesOf(members.names, kind === 'resourceTemplates' ? 'resources' : kind, listed);
  const owner = candidates.length < 2 ? candidates[0] : await ownerOf(virtualCall, kind, listed, candidates);
  const member = owner === undefined ? undefined : members.usable[owner.member];
  if (owner === undefined || member === undefined) return jsonReply(unknown(kind, listed, id, call.era));
  const { own } = owner;
  const text = own === listed ? asked.text : withOwnName(asked.text, subject, own);
  try {
    const answer = await calls.send(member, { httpMethod: 'POST', method: message?.method, id, name: message?.method === 'completion/complete' ? undefined : own, text, isCall: true }, record);
    return await replyForCaller(answer, member, { era: call.era, method: message?.method, maxBytes: gateway.limits.filteredBytes });
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    // The member's account, and the caller's own call: it is sent again to the virtual server.
    record.error = error;
    return answerUnconnected(gateway, request, { route, server: member.server, caller, call }, error);
  }
}

/**
 * A name is the first member's that has it. A resource is by its URI, as it is listed, or by a template of somebody's: it is offered to
 * nobody else.
 */
async function ownerOf(virtualCall: VirtualCall, kind: ListKind, listed: string, candidates: readonly Candidate[]): Promise<Candidate | undefined> {
  if (kind === 'tools' || kind === 'prompts') {
    const lists = listsFor(virtualCall, kind, listRequest(virtualCall, kind));
    await lists.learn(candidates.slice(0, -1).map(({ member }) => member));
    return ownerAmong(candidates, lists.has);
  }
  const indices = candidates.map(({ member }) => member);
  const resources = listsFor(virtualCall, 'resources', listRequest(virtualCall, 'resources'));
  await resources.learn(indices);
  const owner = candidates.find(({ member }) => resources.has(member, listed));
  if (owner !== undefined) return owner;
  const templates = listsFor(virtualCall, 'resourceTemplates', listRequest(virtualCall, 'resourceTemplates'));
  await templates.learn(indices);
  return candidates.find(({ member }) => [...templates.namesOf(member)].some((template) => template === listed || matchesTemplate(template, listed)));
}

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
