import { beginsArray, beginsObject, eachElement, eachMember, type MemberRange, readMembers, type RpcId, skipSpace } from '@gatehouse/mcp-protocol';
import { type Edit, editObject, within } from './edit-json.ts';

/*
 * What members send reaches the one client of all of them, which knows nothing of members: it takes an answer for what it says it
 * answers. So an answer must be one to what this member was asked. What members ask (MCP up to 2025-11-25: sampling, elicitation,
 * roots, ping) says by its id whose it is, so that the answer finds its way back, through whichever replica.
 */

const mark = 'gatehouse:';
const marked = /^gatehouse:([^:]+):(.+)$/s;

/** What may come from a member. */
export interface FromMember {
  /** The member whose requests these are; `undefined` where nobody could answer them: then they go no further. */
  readonly asks: string | undefined;
  /** Whether it is an answer to what this member was asked. */
  readonly answers: (id: RpcId) => boolean;
}

const known = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const ofCancelled = new Set(['requestId']);

/**
 * The messages of an event, or of a whole answer.
 * @returns `undefined` where nothing of it may go on: nor may what cannot be read, or in two ways, as the client would read the other one
 */
export function messagesOf(data: string, from: FromMember): string | undefined {
  // Where a stream could be gone on with (MCP 2025-11-25, transports).
  if (data === '') return data;
  if (!isJson(data)) return undefined;
  const start = skipSpace(data, 0);
  if (!beginsArray(data, start)) return messageOf(data, start, from);
  const messages: string[] = [];
  eachElement(data, start, (begin, end) => {
    const message = messageOf(data.slice(begin, end), 0, from);
    if (message !== undefined) messages.push(message);
  });
  return messages.length === 0 ? undefined : `[${messages.join(',')}]`;
}

function messageOf(text: string, start: number, { asks, answers }: FromMember): string | undefined {
  if (!beginsObject(text, start)) return undefined;
  const read = readMembers(text, start, known);
  if ('ambiguous' in read) return undefined;
  const { members } = read;
  const id = members.get('id');
  const isAnswer = members.has('result') || members.has('error');
  if (!members.has('method')) return isAnswer && answers(idIn(text, id)) ? text : undefined;
  if (isAnswer) return undefined;
  if (id !== undefined) return asks === undefined ? undefined : editObject(text, { id: markedAs(asks) });
  return cancels(text, members) ? cancelled(text, members.get('params'), asks) : text;
}

/** What is cancelled is what the member has asked itself (MCP 2025-11-25, cancellation). */
function cancelled(text: string, params: MemberRange | undefined, asks: string | undefined): string | undefined {
  if (asks === undefined || params === undefined || !beginsObject(text, params[0]) || 'ambiguous' in readMembers(text, params[0], ofCancelled)) return undefined;
  return editObject(text, { params: within({ requestId: markedAs(asks) }) });
}

const cancels = (text: string, members: ReadonlyMap<string, MemberRange>): boolean => valueIn(text, members.get('method')) === 'notifications/cancelled';

const markedAs = (member: string): Edit => (id) => (id === undefined ? undefined : JSON.stringify(`${mark}${member}:${id}`));

const valueIn = (text: string, range: MemberRange | undefined): unknown => (range === undefined ? undefined : JSON.parse(text.slice(...range)));

function idIn(text: string, range: MemberRange | undefined): RpcId {
  const id = valueIn(text, range);
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

export interface MemberAnswer {
  /** The member whose request is answered. */
  readonly member: string;
  /** The answer, with the id that the member gave. */
  readonly text: string;
}

/** @param text a response, of a client */
export function answerForMember(text: string): MemberAnswer | undefined {
  let id: unknown;
  eachMember(text, skipSpace(text, 0), (name, from, to) => {
    if (name === 'id') id = JSON.parse(text.slice(from, to));
  });
  const match = typeof id === 'string' ? marked.exec(id) : null;
  if (match === null) return undefined;
  const [, member, own] = match as unknown as [string, string, string];
  if (!isJson(own)) return undefined;
  return { member, text: editObject(text, { id: () => own }) };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
