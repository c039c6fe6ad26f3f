import type { ListKind } from './list-kinds.ts';
import type { MemberNames } from './member-names.ts';

/** A member that may have what is asked for, and its own name for it. */
export interface Candidate {
  /** Of the member, in the order of the document. */
  readonly member: number;
  readonly own: string;
}

/** Which members a name can be of; the first that has it is the one. Where there is one only, nobody needs to be asked. */
export function candidatesOf(members: readonly MemberNames[], kind: ListKind, listed: string): Candidate[] {
  const candidates: Candidate[] = [];
  for (const [member, names] of members.entries()) {
    const own = names.ownOf(kind, listed);
    if (own !== undefined) candidates.push({ member, own });
  }
  return candidates;
}

/** The member that a name is of; or one before it, of which nobody knows whether it has it. */
type Owner = { readonly owner: Candidate } | { readonly unknown: number };

/**
 * The member that a name is of: the first that has it. The last that could have it is not asked: it says itself that it does not. A
 * name of one that does not say what it has is not another's for that: whoever comes after it would have its calls while it is down.
 * @param has whether a member has it; `undefined` where nobody knows
 */
export async function ownerAmong(candidates: readonly Candidate[], has: (member: number, own: string) => Promise<boolean | undefined>): Promise<Owner | undefined> {
  for (const owner of candidates.slice(0, -1)) {
    const isOwner = await has(owner.member, owner.own);
    if (isOwner === undefined) return { unknown: owner.member };
    if (isOwner) return { owner };
  }
  const last = candidates.at(-1);
  return last && { owner: last };
}
