import { MemberNames, type MemberSelection } from './member-names.ts';

/** A tool that cannot be called, because an earlier member has the name that it would have. */
export interface NameCollision {
  /** Of the members, by their order. */
  readonly member: number;
  readonly own: string;
  readonly listed: string;
  /** Who has the name. */
  readonly earlier: number;
}

/**
 * @param tools of each member what it is known to have; `undefined` where nobody knows
 * @param mayCall by the name in the virtual server
 */
export function nameCollisions(members: readonly MemberSelection[], tools: readonly (readonly string[] | undefined)[], mayCall: (listed: string) => boolean): NameCollision[] {
  const taken = new Map<string, number>();
  return members.flatMap((selection, member) => {
    const names = new MemberNames(selection);
    return (tools[member] ?? []).flatMap((own) => {
      const listed = names.listedAs('tools', own);
      if (listed === undefined || !mayCall(listed)) return [];
      const earlier = taken.get(listed);
      if (earlier !== undefined && earlier !== member) return [{ member, own, listed, earlier }];
      taken.set(listed, member);
      return [];
    });
  });
}
