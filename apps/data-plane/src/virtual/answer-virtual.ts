import { GatewayError } from '@gatehouse/errors';
import { type LegacyClient, readLegacyClient, rpcErrorCodes } from '@gatehouse/mcp-protocol';
import type { PreparedVirtual } from '@gatehouse/upstream-request';
import { answerForMember, listKindOf, readVirtualRequest, type VirtualRequest } from '@gatehouse/virtual-servers';
import { unfitEnvelope, unfitRevision } from '../api/ask-api.ts';
import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import type { CallRecord } from '../pipeline/call-record.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import { MessageError } from '../pipeline/message-error.ts';
import { type Call, listenMethod } from '../pipeline/read-call.ts';
import type { Reply } from '../pipeline/request.ts';
import { answerList } from './answer-list.ts';
import { callMember, missingName } from './call-member.ts';
import { listenInSession, listenWithoutSession } from './listen-to-members.ts';
import { MemberCalls, unknownClient } from './member-calls.ts';
import type { MemberMessage } from './member-message.ts';
import { membersFor } from './members.ts';
import { discoverVirtual, initializeVirtual } from './open-virtual.ts';
import { emptyResult, taken, unknownMethod } from './own-replies.ts';
import { drop } from './read-reply.ts';
import { patienceMs, type VirtualCall } from './virtual-call.ts';
import type { VirtualSession } from './virtual-session.ts';

/**
 * A call of a virtual server: lists are those of all its members, everything else is one member's, and answered there by the same
 * pipeline as at its own URL, as whom that member is called and with which headers.
 * @throws ToolRefusal, GatewayError as the pipeline of the one member does
 */
export function answerVirtual(gateway: Gateway, admitted: AdmittedCall, virtual: PreparedVirtual, record: CallRecord): Promise<Reply> {
  const { call, route, snapshot, server, caller } = admitted;
  // HTTP+SSE has its answers on a stream that one process holds: nobody needs it any more who can choose.
  if (route.endpoint !== 'mcp') throw new GatewayError('streamable_http_only');
  const asked = readAsked(call);
  const session = call.connectSession as VirtualSession | undefined;
  const calls = new MemberCalls(gateway, admitted, () => clientOf(call, session, asked.meta), session);
  const virtualCall: VirtualCall = { gateway, admitted, record, virtual, members: membersFor(snapshot, server, virtual, caller), calls, asked };
  switch (call.method) {
    case 'GET':
      return listen(virtualCall);
    case 'DELETE':
      return end(virtualCall);
    default:
      return answerMessage(virtualCall);
  }
}

async function answerMessage(virtualCall: VirtualCall): Promise<Reply> {
  const { admitted, asked } = virtualCall;
  const { call } = admitted;
  const method = call.message?.method;
  const id = call.message?.id ?? null;
  const isModern = call.era === 'modern';
  if (method === undefined) return passAnswer(virtualCall);
  const unfit = isModern ? unfitEnvelope({ _meta: asked.meta }, id) : unfitRevision(admitted, method, id);
  if (unfit !== undefined) return unfit;
  if (id === null) return takeNotification(virtualCall, method);
  const kind = listKindOf(method);
  if (kind !== undefined) return answerList(virtualCall, kind);
  // Of the legacy era alone (MCP 2026-07-28, changes).
  if (isModern && ofSessions.has(method)) return unknownMethod(id, isModern);
  if (asked.subject !== undefined) return callMember(virtualCall, asked.subject);
  switch (method) {
    case 'tools/call':
    case 'prompts/get':
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
    case 'completion/complete':
      return missingName(id);
    case 'ping':
      return emptyResult(id, isModern);
    case 'initialize':
      return initializeVirtual(virtualCall);
    case 'server/discover':
      return isModern ? discoverVirtual(virtualCall) : unknownMethod(id, isModern);
    case listenMethod:
      return isModern ? listenWithoutSession(virtualCall) : unknownMethod(id, isModern);
    case 'logging/setLevel':
      await passToAll(virtualCall, method);
      return emptyResult(id, isModern);
    default:
      return unknownMethod(id, isModern);
  }
}

const ofSessions = new Set(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe']);

function readAsked({ body, message }: Call): VirtualRequest {
  if (body === undefined) return { text: '' };
  const read = readVirtualRequest(body, message?.method);
  if ('ambiguous' in read) throw new MessageError('invalid_request', rpcErrorCodes.invalidRequest, message?.id ?? null, read.ambiguous);
  return read;
}

/** Who asks, as members are told: what the client said of itself, when its session began or with this very message. */
function clientOf({ era, body, message }: Call, session: VirtualSession | undefined, meta: unknown): LegacyClient {
  if (session !== undefined) return session.client;
  if (era === 'legacy') return body !== undefined && message?.method === 'initialize' ? readLegacyClient(body) : unknownClient;
  const clientInfo = typeof meta === 'object' && meta !== null ? (meta as Record<string, unknown>)['io.modelcontextprotocol/clientInfo'] : undefined;
  return readLegacyClient(Buffer.from(JSON.stringify({ params: { ...unknownClient, ...(clientInfo !== undefined && { clientInfo }) } })));
}

/** What the client answers to what a member has asked it. */
async function passAnswer({ members, asked, calls }: VirtualCall): Promise<Reply> {
  const answer = answerForMember(asked.text);
  const member = answer && members.usable.find(({ server }) => server.name === answer.member);
  // To nothing that was asked here: taken, as nobody waits for more.
  if (answer !== undefined && member !== undefined) drop((await calls.send(member, { httpMethod: 'POST', text: answer.text })).reply);
  return taken();
}

/** What clients say of themselves, and of what they have asked or were asked (MCP 2025-11-25). */
const notifications = new Set(['notifications/initialized', 'notifications/cancelled', 'notifications/progress', 'notifications/roots/list_changed']);

/** @throws MessageError for a request: without an id it would be done unseen, as which member it is for is not known by its rules */
async function takeNotification(virtualCall: VirtualCall, method: string): Promise<Reply> {
  if (!method.startsWith('notifications/')) throw new MessageError('invalid_request', rpcErrorCodes.invalidRequest, null, 'A request has no id.');
  return notifications.has(method) ? passToAll(virtualCall, method) : taken();
}

/** To every member that there is a session with. It is about the client, or about a request of which no more than the id is known. */
async function passToAll({ gateway, members, admitted, asked, calls }: VirtualCall, method: string): Promise<Reply> {
  // Without a session of its own it is nobody that a member knows.
  if (calls.session === undefined) return taken();
  const message: MemberMessage = { httpMethod: 'POST', method, id: admitted.call.message?.id ?? null, text: asked.text };
  await Promise.all(
    members.usable.map(async (member) => {
      if (calls.known(member)?.era !== 'legacy') return;
      // One that is down is told of nothing, and begins anew when it is back.
      await calls.patiently(async (patient) => drop((await patient.send(member, message)).reply), patienceMs(gateway)).catch(() => undefined);
    }),
  );
  return taken();
}

async function listen(virtualCall: VirtualCall): Promise<Reply> {
  if (virtualCall.calls.session === undefined) throw new GatewayError('session_required');
  return listenInSession(virtualCall);
}

/** The client is done: so are all members. */
async function end({ gateway, members, calls }: VirtualCall): Promise<Reply> {
  const { session } = calls;
  if (session === undefined) throw new GatewayError('session_required');
  await Promise.all(members.usable.map((member) => calls.patiently((patient) => patient.end(member), patienceMs(gateway)).catch(() => undefined)));
  gateway.connecting.upstreamSessions.end(session.id);
  return { status: 200, headers: ['content-length', '0'], body: undefined };
}
