import { beginsArray, beginsObject, eachElement, eachMember, skipSpace } from '@gatehouse/mcp-protocol';
import { editObject } from './edit-json.ts';

/*
 * What members ask their client (MCP up to 2025-11-25: sampling, elicitation, roots, ping) reaches the one client of all of them:
 * the ids must say whose they are, so that the answer finds its way back, through whichever replica.
 */

const mark = 'gatehouse:';
const marked = /^gatehouse:([^:]+):(.+)$/s;

/** Marks the ids of requests among the messages of an event. What is no request stays as it is. */
export function markRequests(data: string, member: string): string {
  // Most of what is streamed are answers and notifications.
  if (!data.includes('"method"') || !data.includes('"id"')) return data;
  if (!isJson(data)) return data;
  const start = skipSpace(data, 0);
  if (!beginsArray(data, start)) return markRequest(data, member);
  const messages: string[] = [];
  eachElement(data, start, (from, to) => void messages.push(markRequest(data.slice(from, to), member)));
  return `[${messages.join(',')}]`;
}

function markRequest(text: string, member: string): string {
  if (!beginsObject(text, skipSpace(text, 0)) || !hasMethod(text)) return text;
  return editObject(text, { id: (id) => (id === undefined ? undefined : JSON.stringify(`${mark}${member}:${id}`)) });
}

function hasMethod(text: string): boolean {
  let found = false;
  eachMember(text, skipSpace(text, 0), (name) => {
    found ||= name === 'method';
  });
  return found;
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
