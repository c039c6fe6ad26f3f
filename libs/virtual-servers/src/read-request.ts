import { isUtf8 } from 'node:buffer';
import { beginsObject, readMembers, skipSpace } from '@gatehouse/mcp-protocol';
import type { ListKind } from './list-kinds.ts';

/** What a message asks for, as far as it decides which member is asked. */
export interface VirtualRequest {
  /** The message as text, and it can be edited. */
  readonly text: string;
  /** What it is about, where it is about something that one member has. */
  readonly subject?: { readonly kind: ListKind; readonly listed: string };
  /** Of a list: where it goes on. */
  readonly cursor?: unknown;
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
  const valueOf = (name: string): unknown => {
    const range = params.members.get(name);
    return range === undefined ? undefined : JSON.parse(text.slice(...range));
  };
  if (method !== undefined && listMethods.test(method)) return { text, cursor: valueOf('cursor') };
  const named = method === undefined ? undefined : subjects[method];
  if (named !== undefined) return withSubject(text, named.kind, valueOf(named.field));
  const ref = method === 'completion/complete' ? params.members.get('ref') : undefined;
  return ref === undefined ? { text } : withReference(text, ref[0]);
}

const listMethods = /\/list$/;

const subjects: Readonly<Record<string, { readonly kind: ListKind; readonly field: string }>> = {
  'tools/call': { kind: 'tools', field: 'name' },
  'prompts/get': { kind: 'prompts', field: 'name' },
  'resources/read': { kind: 'resources', field: 'uri' },
  'resources/subscribe': { kind: 'resources', field: 'uri' },
  'resources/unsubscribe': { kind: 'resources', field: 'uri' },
};

const withSubject = (text: string, kind: ListKind, listed: unknown): VirtualRequest => (typeof listed === 'string' ? { text, subject: { kind, listed } } : { text });

/** What is completed: an argument of a prompt, or of a resource template (MCP, server/utilities/completion). */
function withReference(text: string, start: number): VirtualRequest | { readonly ambiguous: string } {
  if (!beginsObject(text, start)) return { text };
  const ref = readMembers(text, start, refMembers);
  if ('ambiguous' in ref) return ref;
  const valueOf = (name: string): unknown => {
    const range = ref.members.get(name);
    return range === undefined ? undefined : JSON.parse(text.slice(...range));
  };
  return valueOf('type') === 'ref/prompt' ? withSubject(text, 'prompts', valueOf('name')) : withSubject(text, 'resourceTemplates', valueOf('uri'));
}
