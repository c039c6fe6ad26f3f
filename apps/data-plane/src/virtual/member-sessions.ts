import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import type { MemberSession } from './virtual-session.ts';

const maxServers = 10_000;

/**
 * Sessions that the gateway opened with members itself: for clients that have none of their own there, and in the place of those that
 * a member has forgotten. Another replica opens its own.
 */
export class MemberSessions {
  readonly #sessions: BoundedCache<MemberSession>;
  readonly #opening = new Map<string, Promise<MemberSession>>();
  /** Of servers: the eras that they were found to be of, when modern callers came. */
  readonly #eras = new BoundedCache<'legacy' | 'modern'>(maxServers, new CacheBudget(maxServers));

  constructor(max = 20_000) {
    this.#sessions = new BoundedCache(max, new CacheBudget(max));
  }

  get(key: string): MemberSession | undefined {
    return this.#sessions.get(key);
  }

  set(key: string, session: MemberSession): void {
    this.#sessions.set(key, session);
  }

  /** Opens one unless that has been done, or is being done for another call, whose failure is not this one's. */
  async enter(key: string, open: () => Promise<MemberSession>): Promise<MemberSession> {
    const known = this.#sessions.get(key) ?? (await this.#opening.get(key)?.catch(() => undefined));
    if (known !== undefined) return known;
    const opening = open();
    this.#opening.set(key, opening);
    try {
      const opened = await opening;
      this.#sessions.set(key, opened);
      return opened;
    } finally {
      if (this.#opening.get(key) === opening) this.#opening.delete(key);
    }
  }

  eraOf(server: string): 'legacy' | 'modern' | undefined {
    return this.#eras.get(server);
  }

  lose(server: string): void {
    this.#eras.delete(server);
  }

  found(server: string, { era }: MemberSession): void {
    this.#eras.set(server, era);
  }

  /** @returns what it was, where there was one */
  forget(key: string, session?: MemberSession): MemberSession | undefined {
    const known = this.#sessions.get(key);
    if (known !== undefined && (session === undefined || session === known)) this.#sessions.delete(key);
    return known;
  }
}
