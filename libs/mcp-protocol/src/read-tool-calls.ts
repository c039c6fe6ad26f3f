import { isUtf8 } from 'node:buffer';
import { beginsArray, beginsObject, eachElement, skipSpace } from './json-text.ts';
import { type MemberRange, readMembers } from './read-members.ts';
import type { RpcId } from './rpc-error.ts';

/** A request of a message; of a batch (MCP 2025-03-26) there are several. */
export interface RequestInBody {
  /** `null` where it has none: no answer is expected. */
  readonly id: RpcId;
  /** Of `tools/call`: the tool's name, `undefined` where it has none that is text. */
  readonly call?: { readonly tool: string | undefined };
}

export type ReadToolCalls = { readonly requests: readonly RequestInBody[]; readonly isBatch: boolean } | { readonly ambiguous: string };

/**
 * Reads which tools a body calls, so that no upstream reads other calls in it. JSON leaves open what two members of one name
 * mean (RFC 8259 section 4), and some parsers take `Name` for `name`; what could be read in two ways is refused.
 * @param body what `readMessage` has taken
 */
export function readToolCalls(body: Buffer): ReadToolCalls {
  // What is no text may be replaced, dropped or read in another charset.
  if (!isUtf8(body)) return { ambiguous: 'The body is not UTF-8.' };
  const text = body.toString('utf8');
  const start = skipSpace(text, 0);
  const isBatch = beginsArray(text, start);
  const messages: number[] = [];
  if (isBatch) eachElement(text, start, (from) => void messages.push(from));
  else messages.push(start);
  const requests: RequestInBody[] = [];
  for (const from of messages) {
    const request = readRequest(text, from);
    if ('ambiguous' in request) return request;
    requests.push(request);
  }
  return { requests, isBatch };
}

const messageMembers = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const callMembers = new Set(['name', 'arguments', '_meta']);

function readRequest(text: string, start: number): RequestInBody | { readonly ambiguous: string } {
  if (!beginsObject(text, start)) return { ambiguous: 'The body is not a JSON-RPC message.' };
  const message = readMembers(text, start, messageMembers);
  if ('ambiguous' in message) return message;
  const { members } = message;
  const id = valueOf(text, members.get('id'));
  const request = { id: typeof id === 'string' || typeof id === 'number' ? id : null };
  if (valueOf(text, members.get('method')) !== 'tools/call') return request;
  const params = members.get('params');
  if (params === undefined || !beginsObject(text, params[0])) return { ...request, call: { tool: undefined } };
  const call = readMembers(text, params[0], callMembers);
  if ('ambiguous' in call) return call;
  const tool = valueOf(text, call.members.get('name'));
  return { ...request, call: { tool: typeof tool === 'string' ? tool : undefined } };
}

/** Of small values only: a tool's name, an id. */
const valueOf = (text: string, range: MemberRange | undefined): unknown => (range === undefined ? undefined : JSON.parse(text.slice(...range)));
