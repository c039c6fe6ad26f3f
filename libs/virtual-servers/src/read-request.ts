import { isUtf8 } from 'node:buffer';
import { beginsObject, type MemberRange, readMembers, skipSpace } from '@gatehouse/mcp-protocol';
import type { ListKind } from './list-kinds.ts';

export interface VirtualSubject {
  readonly kind: ListKind;
  readonly listed: string;
  /** Where the message says so, as JSON. */
  readonly from: number;
  readonly to: number;
}

/** What a message asks for, as far as it decides which member is asked. */
export interface VirtualRequest {
  /** The message as text, and it can be edited. */
  readonly text: string;
  /** What it is about, where it is about something that one member has. */
  readonly subject?: VirtualSubject;
  /** Of a list: where it goes on. */
  readonly cursor?: unknown;
  /** What the message says of itself. */
  readonly meta?: unknown;
}

const messageMembers = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const paramsMembers = new Set(['name', 'uri', 'ref', 'cursor', '_meta', 'arguments', 'argument', 'requestState', 'inputResponses', 'notifications']);
const refMembers = new Set(['type', 'name', 'uri']);

/**
 * Reads a message for a virtual server. What could be read in two ways is refused: the member would read the other one.
 * @param body what `readMessage` has taken
 */
export function readVirtualRequest(body: Buffer, method: string | undefined): VirtualRequest | { readonly ambiguous: string } {
  if (!isUtf8(body)) return { ambiguous: 'The body is not UTF-8.' };
  const text = body.toString('utf8');
  const start = skipSpace(text, 0);
  if (!beginsObject(text, start)) return { ambiguous: 'A virtual server takes one message at a time.' };
  const message = readMembers(text, start, messageMembers);
  if ('ambiguous' in message) return message;
  const at = message.members.get('params');
  if (at === undefined || !beginsObject(text, at[0])) return { text };
  const params = readMembers(text, at[0], paramsMembers);
  if ('ambiguous' in params) return params;
  const meta = valueOf(text, params.members.get('_meta'));
  const named = method === undefined ? undefined : subjects[method];
  if (named !== undefined) return withSubject(text, meta, named.kind, params.members.get(named.field));
  if (method?.endsWith('/list') === true) return { text, meta, cursor: valueOf(text, params.members.get('cursor')) };
  const ref = method === 'completion/complete' ? params.members.get('ref') : undefined;
  return ref === undefined ? { text, meta } : withReference(text, meta, ref[0]);
}

const valueOf = (text: string, range: MemberRange | undefined): unknown => (range === undefined ? undefined : JSON.parse(text.slice(range[0], range[1])));

const subjects: Readonly<Record<string, { readonly kind: ListKind; readonly field: string }>> = {
  'tools/call': { kind: 'tools', field: 'name' },
  'prompts/get': { kind: 'prompts', field: 'name' },
  'resources/read': { kind: 'resources', field: 'uri' },
  'resources/subscribe': { kind: 'resources', field: 'uri' },
  'resources/unsubscribe': { kind: 'resources', field: 'uri' },
};

function withSubject(text: string, meta: unknown, kind: ListKind, range: MemberRange | undefined): VirtualRequest {
  const listed = valueOf(text, range);
  return range !== undefined && typeof listed === 'string' ? { text, meta, subject: { kind, listed, from: range[0], to: range[1] } } : { text, meta };
}

/** What is completed: an argument of a prompt, or of a resource template (MCP, server/utilities/completion). */
function withReference(text: string, meta: unknown, start: number): VirtualRequest | { readonly ambiguous: string } {
  if (!beginsObject(text, start)) return { text, meta };
  const ref = readMembers(text, start, refMembers);
  if ('ambiguous' in ref) return ref;
  const isPrompt = valueOf(text, ref.members.get('type')) === 'ref/prompt';
  return withSubject(text, meta, isPrompt ? 'prompts' : 'resourceTemplates', ref.members.get(isPrompt ? 'name' : 'uri'));
}
