import { beginsArray, beginsObject, eachElement, eachMember, skipSpace } from '@gatehouse/mcp-protocol';
import { type ListKind, listKinds } from './list-kinds.ts';

export interface ListedItem {
  /** What the member calls it. */
  readonly own: string;
  /** As the member has it. */
  readonly text: string;
}

/** One page of a member's list. */
export interface MemberPage {
  readonly items: readonly ListedItem[];
  readonly nextCursor: string | undefined;
  /** How long it may be kept, of servers that say so (MCP 2026-07-28, caching). */
  readonly ttlMs: number | undefined;
}

/** In characters. What is called by more is not called by anybody, and all names have to be remembered. */
const maxNames: Readonly<Record<ListKind, number>> = { tools: 1_024, prompts: 1_024, resources: 8_192, resourceTemplates: 8_192 };

/** @returns `undefined` for what is no list: an error, or no JSON-RPC at all */
export function readMemberPage(text: string, kind: ListKind): MemberPage | undefined {
  if (!isJson(text)) return undefined;
  const result = rangeOf(text, skipSpace(text, 0), 'result');
  if (result === undefined || !beginsObject(text, result)) return undefined;
  const items: ListedItem[] = [];
  let nextCursor: unknown;
  let ttlMs: unknown;
  let isList = false;
  eachMember(text, result, (name, from, to) => {
    if (name === kind && beginsArray(text, from)) {
      isList = true;
      items.push(...readItems(text, from, kind));
    } else if (name === 'nextCursor') nextCursor = JSON.parse(text.slice(from, to));
    else if (name === 'ttlMs') ttlMs = JSON.parse(text.slice(from, to));
  });
  if (!isList) return undefined;
  return { items, nextCursor: typeof nextCursor === 'string' ? nextCursor : undefined, ttlMs: typeof ttlMs === 'number' ? ttlMs : undefined };
}

/** What could be read in two ways is left out, as nobody could say what it is that is called by that name; and what has none that is fit. */
function readItems(text: string, start: number, kind: ListKind): ListedItem[] {
  const { key } = listKinds[kind];
  const items: ListedItem[] = [];
  eachElement(text, start, (from, to) => {
    if (!beginsObject(text, from)) return;
    const names: unknown[] = [];
    eachMember(text, from, (member, valueFrom, valueTo) => {
      if (member === key) names.push(JSON.parse(text.slice(valueFrom, valueTo)));
    });
    const [own] = names;
    if (names.length === 1 && typeof own === 'string' && own.length <= maxNames[kind]) items.push({ own, text: text.slice(from, to) });
  });
  return items;
}

function rangeOf(text: string, start: number, member: string): number | undefined {
  let found: number | undefined;
  if (beginsObject(text, start)) eachMember(text, start, (name, from) => void (name === member && (found = from)));
  return found;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
