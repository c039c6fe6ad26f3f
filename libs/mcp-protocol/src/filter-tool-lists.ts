import { beginsArray, beginsObject, eachElement, eachMember, skipSpace } from './json-text.ts';

export type FilteredMessage =
  /** There is no list in it, or nothing of it had to go. */
  | { readonly is: 'unchanged' }
  | { readonly is: 'changed'; readonly text: string }
  | { readonly is: 'unreadable' };

const unchanged: FilteredMessage = { is: 'unchanged' };

interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * Takes the tools that may not be called out of every list in a message: of a response, `result.tools`; of a batch (MCP
 * 2025-03-26), of each of them. All else stays as it was, character by character. A list is known by its shape and not by what
 * was asked: answers come on other streams than their questions, and ids can be used twice.
 */
export function filterToolLists(text: string, mayCall: (name: string) => boolean): FilteredMessage {
  if (!text.includes('"tools"')) return unchanged;
  if (!isJson(text)) return { is: 'unreadable' };
  const splices: Splice[] = [];
  const start = skipSpace(text, 0);
  if (beginsArray(text, start)) eachElement(text, start, (from) => filterMessage(text, from, mayCall, splices));
  else filterMessage(text, start, mayCall, splices);
  return splices.length === 0 ? unchanged : { is: 'changed', text: splice(text, splices) };
}

function filterMessage(text: string, start: number, mayCall: (name: string) => boolean, splices: Splice[]): void {
  if (!beginsObject(text, start)) return;
  eachMember(text, start, (name, from) => {
    if (name === 'result' && beginsObject(text, from)) filterResult(text, from, mayCall, splices);
  });
}

function filterResult(text: string, start: number, mayCall: (name: string) => boolean, splices: Splice[]): void {
  const found: Splice[] = [];
  let scope: Splice | undefined;
  eachMember(text, start, (name, from, to) => {
    if (name === 'tools' && beginsArray(text, from)) found.push(...filterList(text, from, to, mayCall));
    // What a gateway has filtered is not for caches that others share (MCP 2026-07-28, caching).
    if (name === 'cacheScope') scope = { from, to, text: '"private"' };
  });
  if (found.length === 0) return;
  splices.push(...found, ...(scope === undefined ? [] : [scope]));
}

function filterList(text: string, start: number, end: number, mayCall: (name: string) => boolean): Splice[] {
  const kept: string[] = [];
  let count = 0;
  eachElement(text, start, (from, to) => {
    count += 1;
    if (mayBeListed(text, from, mayCall)) kept.push(text.slice(from, to));
  });
  return kept.length === count ? [] : [{ from: start, to: end, text: `[${kept.join(',')}]` }];
}

/** What has no name cannot be called either. */
function mayBeListed(text: string, start: number, mayCall: (name: string) => boolean): boolean {
  if (!beginsObject(text, start)) return false;
  const names: unknown[] = [];
  eachMember(text, start, (member, from, to) => {
    if (member === 'name') names.push(JSON.parse(text.slice(from, to)));
  });
  return names.length > 0 && names.every((name) => typeof name === 'string' && mayCall(name));
}

function splice(text: string, splices: readonly Splice[]): string {
  let result = '';
  let at = 0;
  for (const { from, to, text: replacement } of [...splices].sort((a, b) => a.from - b.from)) {
    result += text.slice(at, from) + replacement;
    at = to;
  }
  return result + text.slice(at);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
