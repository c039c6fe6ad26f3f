import { editObject, to } from './edit-json.ts';
import { type ListKind, listKinds } from './list-kinds.ts';
import type { MemberPage } from './member-list.ts';
import type { MemberNames } from './member-names.ts';
import { candidatesOf } from './route-name.ts';

/** The page that each member gave; `undefined` of those that were not asked, or gave none. */
export type Pages = readonly (MemberPage | undefined)[];

/** Members of which has to be known what they have, before names of these pages can be said to be another's. */
export function overlappingMembers(members: readonly MemberNames[], kind: ListKind, pages: Pages): ReadonlySet<number> {
  const needed = new Set<number>();
  eachListed(members, kind, pages, (listed, member) => {
    for (const candidate of candidatesOf(members, kind, listed)) if (candidate.member < member) needed.add(candidate.member);
  });
  return needed;
}

export interface MergedList {
  /** As JSON, by the names of the virtual server, in the order of the members. */
  readonly items: readonly string[];
  /** Names that an earlier member has too. */
  readonly shadowed: readonly { readonly member: number; readonly listed: string }[];
}

/**
 * One list of several. Of two members with the same name the first has it, on whichever page: so it is called, too.
 * @param has what a member is known to have
 * @param mayList by the name in the virtual server, and whose it is
 */
export function mergePages(members: readonly MemberNames[], kind: ListKind, pages: Pages, has: (member: number, own: string) => boolean, mayList: (listed: string, member: number) => boolean): MergedList {
  const items: string[] = [];
  const shadowed: { member: number; listed: string }[] = [];
  const seen = new Set<string>();
  eachListed(members, kind, pages, (listed, member, own, text) => {
    if (!mayList(listed, member)) return;
    const isOthers = candidatesOf(members, kind, listed).some((candidate) => candidate.member < member && has(candidate.member, candidate.own));
    if (isOthers || seen.has(listed)) return void shadowed.push({ member, listed });
    seen.add(listed);
    items.push(listed === own ? text : editObject(text, { [listKinds[kind].key]: to(listed) }));
  });
  return { items, shadowed };
}

function eachListed(members: readonly MemberNames[], kind: ListKind, pages: Pages, visit: (listed: string, member: number, own: string, text: string) => void): void {
  for (const [member, names] of members.entries()) {
    for (const { own, text } of pages[member]?.items ?? []) {
      const listed = names.listedAs(kind, own);
      if (listed !== undefined) visit(listed, member, own, text);
    }
  }
}
