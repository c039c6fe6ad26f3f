import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import type { ErrorCode } from '@gatehouse/errors';
import type { ListKind } from '@gatehouse/virtual-servers';
import type { Member } from './members.ts';

interface Known {
  readonly own: ReadonlySet<string>;
  readonly since: number;
}

interface Failure {
  readonly code: ErrorCode;
  readonly until: number;
}

const freshMs = 30_000;
/** What a member had so long ago says whose a name is while it is down. */
const lastMs = 3_600_000;
const failureMs = 5_000;
const maxLists = 20_000;
const maxFailures = 10_000;
/** Of all names together, what they are kept with included. */
const maxCharacters = 32 * 2 ** 20;
const charactersOfEntry = 64;

/**
 * What members have, by the lists that callers got: of names that several could have it decides whose they are. Lists are the caller's
 * own, as they may depend on who asks. Where it is not known for whom to keep it (`scope`), nothing is kept.
 */
export class KnownNames {
  readonly #known = new BoundedCache<Known>(maxLists, new CacheBudget(maxCharacters));
  readonly #failures = new BoundedCache<Failure>(maxFailures, new CacheBudget(maxFailures));
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(member: Member, kind: ListKind, scope: string | undefined): ReadonlySet<string> | undefined {
    return this.#since(freshMs, member, kind, scope);
  }

  /** What it had when it was last asked. */
  last(member: Member, kind: ListKind, scope: string | undefined): ReadonlySet<string> | undefined {
    return this.#since(lastMs, member, kind, scope);
  }

  set(member: Member, kind: ListKind, scope: string | undefined, own: ReadonlySet<string>): void {
    if (scope === undefined) return;
    this.#failures.delete(keyOf(member, kind, scope));
    let characters = charactersOfEntry;
    for (const name of own) characters += name.length + charactersOfEntry;
    this.#known.set(keyOf(member, kind, scope), { own, since: this.#now() }, characters);
  }

  /** It did not say what it has. For some seconds nobody waits for it again. */
  failed(member: Member, kind: ListKind, scope: string | undefined, code: ErrorCode): void {
    if (scope !== undefined) this.#failures.set(keyOf(member, kind, scope), { code, until: this.#now() + failureMs });
  }

  failureOf(member: Member, kind: ListKind, scope: string | undefined): ErrorCode | undefined {
    const failure = scope === undefined ? undefined : this.#failures.get(keyOf(member, kind, scope));
    return failure !== undefined && failure.until > this.#now() ? failure.code : undefined;
  }

  /** It has said that it has others now. */
  forget(member: Member, scope: string): void {
    for (const kind of ['tools', 'prompts', 'resources', 'resourceTemplates'] as const) this.#known.delete(keyOf(member, kind, scope));
  }

  #since(ms: number, member: Member, kind: ListKind, scope: string | undefined): ReadonlySet<string> | undefined {
    const known = scope === undefined ? undefined : this.#known.get(keyOf(member, kind, scope));
    return known !== undefined && known.since + ms > this.#now() ? known.own : undefined;
  }
}

/** Another one where it is another upstream. */
const keyOf = ({ server }: Member, kind: ListKind, scope: string): string => `${kind}\0${server.id}\0${server.fingerprint}\0${scope}`;
