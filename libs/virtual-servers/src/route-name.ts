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
  return members.flatMap((names, member) => {
    const own = names.ownOf(kind, listed);
    return own === undefined ? [] : [{ member, own }];
  });
}

/**
 * The member that a name is of: the first that has it. The last that could have it is not asked: it says itself that it does not.
 * @param has what a member is known to have
 */
export function ownerAmong(candidates: readonly Candidate[], has: (member: number, own: string) => boolean): Candidate | undefined {
  const last = candidates.at(-1);
  return candidates.find((candidate) => candidate === last || has(candidate.member, candidate.own));
}
