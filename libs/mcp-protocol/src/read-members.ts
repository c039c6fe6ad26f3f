import { eachMember } from './json-text.ts';

export type MemberRange = readonly [from: number, to: number];

export type ReadMembers = { readonly members: ReadonlyMap<string, MemberRange> } | { readonly ambiguous: string };

/** Where the members that matter are in the object that begins at `start`; each must be there once, and spelled as it should be. */
export function readMembers(text: string, start: number, known: ReadonlySet<string>): ReadMembers {
  const members = new Map<string, MemberRange>();
  let ambiguous: string | undefined;
  eachMember(text, start, (name, from, to) => {
    const folded = known.has(name) ? name : fold(name);
    if (!known.has(folded)) return;
    if (name !== folded || members.has(folded)) ambiguous ??= folded;
    members.set(folded, [from, to]);
  });
  return ambiguous === undefined ? { members } : { ambiguous: `The message has "${ambiguous}" twice, or in another spelling.` };
}

/** Unicode's simple case folding, as Go's `encoding/json` compares names: ſ is an s, and K (the unit) a k. */
const fold = (name: string): string => name.toUpperCase().toLowerCase();
