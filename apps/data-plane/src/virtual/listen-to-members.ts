import { GatewayError } from '@gatehouse/errors';
import { formatEvent, type RpcId } from '@gatehouse/mcp-protocol';
import { editObject, messagesOf, to, within } from '@gatehouse/virtual-servers';
import type { Admission } from '../pipeline/admission.ts';
import { listenMethod } from '../pipeline/read-call.ts';
import type { Reply } from '../pipeline/request.ts';
import type { MemberReply } from './member-calls.ts';
import type { MemberMessage } from './member-message.ts';
import { changeEvents } from '../pipeline/change-events.ts';
import { eventIdOf, readEventId } from './event-id.ts';
import type { Member } from './members.ts';
import { MergedStream } from './merged-stream.ts';
import { invalidParams } from './own-replies.ts';
import { drop } from './read-reply.ts';
import { patienceMs, type VirtualCall } from './virtual-call.ts';

const subscriptionKey = 'io.modelcontextprotocol/subscriptionId';
const streamHeaders = ['content-type', 'text/event-stream', 'cache-control', 'no-cache, no-transform', 'x-accel-buffering', 'no'];

/** What changes at members, and what they ask: on the stream that a legacy client listens on (MCP 2025-11-25, transports). */
export async function listenInSession(virtualCall: VirtualCall): Promise<Reply> {
  const { admitted, members } = virtualCall;
  // Ids of events are those of one member's stream: what broke off there goes on there.
  const last = readEventId(admitted.headers.lastEventId);
  const stream = new MergedStream();
  const listen = (member: Member): MemberMessage => ({ httpMethod: 'GET', lastEventId: last?.member === member.server.name ? last.id : undefined });
  const change: Change = (member, session) => {
    const learn = forgetting(virtualCall, member);
    const { name } = member.server;
    // Nothing is answered here, unless it is the stream of a call that broke off.
    const call = last?.member === name ? last.call : undefined;
    const from = { asks: name, answers: (id: RpcId) => call !== undefined && id === call };
    // One of the modern era says when it has begun and when it has ended; to a legacy client neither is anything.
    const data = session.era === 'modern' ? changesOnly(learn) : (text: string) => messagesOf(learn(text), from);
    return { data, id: (id: string) => eventIdOf(name, id, call) };
  };
  const admissions = await attach(virtualCall, members.usable, stream, listen, change);
  if (stream.size === 0) throw new GatewayError('method_not_allowed', { detail: 'no member has a stream to listen on' });
  return streamOf(virtualCall, stream, admissions);
}

/** The same for modern clients, who say what they want to be told of (MCP 2026-07-28, subscriptions). */
export async function listenWithoutSession(virtualCall: VirtualCall): Promise<Reply> {
  const { admitted, asked, members } = virtualCall;
  const id = admitted.call.message?.id ?? null;
  const { params } = JSON.parse(asked.text) as { params?: { notifications?: unknown } };
  const wanted = params?.notifications;
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) return invalidParams(id, 'The request does not say what to listen to.');
  const honored = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value === true || (Array.isArray(value) && value.length > 0)));
  const acknowledged = { jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications: honored, _meta: { [subscriptionKey]: id } } };
  const over = { jsonrpc: '2.0', id, result: { resultType: 'complete', _meta: { [subscriptionKey]: id } } };
  const stream = new MergedStream(formatEvent('message', JSON.stringify(acknowledged)), () => formatEvent('message', JSON.stringify(over)));
  const listen = (): MemberMessage => ({ httpMethod: 'POST', method: listenMethod, id, text: asked.text });
  const change: Change = (member, session) => {
    const changes = changesOnly(forgetting(virtualCall, member));
    if (session.era === 'modern') return { data: changes };
    return {
      data: (text) => {
        const data = changes(text);
        return data !== undefined && isWanted(data, honored) ? withSubscription(data, id) : undefined;
      },
    };
  };
  return streamOf(virtualCall, stream, await attach(virtualCall, members.usable, stream, listen, change));
}

type Change = (member: Member, session: MemberReply['session']) => { readonly data: (data: string) => string | undefined; readonly id?: (id: string) => string };

/** Listens to each. The stream begins with the first that answers, or when all have; those that are slow join it. */
async function attach({ gateway, admitted, calls }: VirtualCall, members: readonly Member[], stream: MergedStream, listen: (member: Member) => MemberMessage, change: Change): Promise<Admission[]> {
  const admissions: Admission[] = [];
  const attachOne = async (member: Member): Promise<void> => {
    const { reply, session } = await calls.listen(member, listen(member));
    if (reply.status !== 200 || reply.isEventStream !== true || typeof reply.body !== 'object') return drop(reply);
    if (reply.admission !== undefined) admissions.push(reply.admission);
    stream.add(changeEvents(reply.body, gateway.limits.filteredBytes, change(member, session)));
  };
  // A member has no stream, or is down: the others have theirs. The gateway itself has nothing to say of an API.
  const all = members.filter(({ server }) => server.operations === undefined).map((member) => attachOne(member).catch(() => undefined));
  const settled = Promise.all(all).then(() => stream.complete());
  const first = Promise.race([settled, ...all.map(async (one) => (await one, stream.size > 0 ? undefined : settled))]);
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, patienceMs(gateway));
  await Promise.race([first, late]);
  clearTimeout(timer);
  admitted.request.onDisconnect(() => stream.abort());
  return admissions;
}

function streamOf({ admitted: { server, caller } }: VirtualCall, body: MergedStream, members: readonly Admission[]): Reply {
  return { status: 200, headers: [...streamHeaders], body, isEventStream: true, onlyListens: true, admission: { server, caller, members } };
}

const changes = new Set(['notifications/tools/list_changed', 'notifications/prompts/list_changed', 'notifications/resources/list_changed', 'notifications/resources/updated']);
const wantedBy: Readonly<Record<string, string>> = {
  'notifications/tools/list_changed': 'toolsListChanged',
  'notifications/prompts/list_changed': 'promptsListChanged',
  'notifications/resources/list_changed': 'resourcesListChanged',
};

/** What a member had before is not what it has now. */
function forgetting({ gateway, admitted }: VirtualCall, member: Member): (data: string) => string {
  return (data) => {
    if (data.includes('list_changed')) gateway.virtual.names.forget(member, admitted.caller.id);
    return data;
  };
}

/** Of what a member says, that something of it has changed. */
const changesOnly = (learn: (data: string) => string) => (text: string): string | undefined => {
  const data = messagesOf(learn(text), onlyTold);
  return data !== undefined && isChange(data) ? data : undefined;
};
const onlyTold = { asks: undefined, answers: () => false };

const isChange = (data: string): boolean => changes.has(methodOf(data) ?? '');
const isWanted = (data: string, honored: object): boolean => Object.hasOwn(honored, wantedBy[methodOf(data) ?? ''] ?? '');

const withSubscription = (data: string, id: unknown): string => editObject(data, { params: within({ _meta: within({ [subscriptionKey]: to(id) }) }) });

function methodOf(data: string): string | undefined {
  if (!data.includes('"method"')) return undefined;
  try {
    const { method } = JSON.parse(data) as { method?: unknown };
    return typeof method === 'string' ? method : undefined;
  } catch {
    return undefined;
  }
}
