import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import type { ListKind } from '@gatehouse/virtual-servers';
import type { Member } from './members.ts';

interface Known {
  readonly own: ReadonlySet<string>;
  readonly until: number;
}

const lifeMs = 30_000;
const maxLists = 20_000;
/** Names; of so many lists together. */
const maxNames = 500_000;

/**
 * What members have, by the lists that callers got: of names that several could have it decides whose they are. Lists are the caller's
 * own, as they may depend on who asks.
 */
export class KnownNames {
  readonly #known = new BoundedCache<Known>(maxLists, new CacheBudget(maxNames));
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(member: Member, kind: ListKind, callerId: string): ReadonlySet<string> | undefined {
    const known = this.#known.get(keyOf(member, kind, callerId));
    return known !== undefined && known.until > this.#now() ? known.own : undefined;
  }

  set(member: Member, kind: ListKind, callerId: string, own: ReadonlySet<string>): void {
    // Callers that nobody knows apart bring credentials of their own: one's list is not another's.
    if (member.server.appAuth.type === 'passthrough') return;
    this.#known.set(keyOf(member, kind, callerId), { own, until: this.#now() + lifeMs }, own.size + 1);
  }

  /** It has said that it has others now. */
  forget(member: Member, callerId: string): void {
    for (const kind of ['tools', 'prompts', 'resources', 'resourceTemplates'] as const) this.#known.delete(keyOf(member, kind, callerId));
  }
}

/** Another one where it is another upstream. */
const keyOf = ({ server }: Member, kind: ListKind, callerId: string): string => `${kind}\0${server.id}\0${server.fingerprint}\0${callerId}`;
