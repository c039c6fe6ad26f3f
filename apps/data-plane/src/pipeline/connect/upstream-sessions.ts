import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import type { UpstreamResponse } from '../request.ts';

/** A session that the gateway opened with an upstream, for a caller that had begun before it could be opened. */
export interface UpstreamSession {
  /** Absent where the upstream has no sessions. */
  readonly sessionId: string | undefined;
  /** What it has agreed on. */
  readonly protocolVersion: string | undefined;
}

/** The upstream did not open one: its answer is the answer. */
export interface RefusedSession {
  readonly refusal: UpstreamResponse;
}

const maxServers = 10_000;
const maxEnded = 20_000;

/** By the id in the caller's session. Another replica opens its own. */
export class UpstreamSessions {
  readonly #sessions: BoundedCache<UpstreamSession>;
  /** Servers whose upstreams know sessions only, by what they said to connected callers. */
  readonly #legacy = new BoundedCache<true>(maxServers, new CacheBudget(maxServers));
  readonly #ended = new BoundedCache<true>(maxEnded, new CacheBudget(maxEnded));
  readonly #opening = new Map<string, Promise<UpstreamSession | undefined>>();

  constructor(max = 20_000) {
    this.#sessions = new BoundedCache(max, new CacheBudget(max));
  }

  get(id: string): UpstreamSession | undefined {
    return this.#sessions.get(id);
  }

  /** Opens one unless that has been done, or is being done for another call. An answer that refuses is the one call's that asked. */
  async enter(id: string, open: () => Promise<UpstreamSession | RefusedSession>): Promise<UpstreamSession | RefusedSession> {
    for (;;) {
      const known = this.#sessions.get(id) ?? (await this.#opening.get(id));
      if (known !== undefined) return known;
      if (this.#opening.has(id)) continue;
      const opening = open();
      this.#opening.set(id, opening.then((opened) => ('refusal' in opened ? undefined : opened), () => undefined).finally(() => this.#opening.delete(id)));
      const opened = await opening;
      if (!('refusal' in opened)) this.#sessions.set(id, opened);
      return opened;
    }
  }

  /** How a call of the modern era was answered: 400 is what servers say that have never heard of it (MCP 2026-07-28, versioning). */
  answeredModern(server: string, { status }: Pick<UpstreamResponse, 'status'>): void {
    if (status === 400) this.#legacy.set(server, true);
    else if (status < 300) this.#legacy.delete(server);
  }

  isLegacy(server: string): boolean {
    return this.#legacy.get(server) === true;
  }

  /** Its client is done with it. Where there is none of the upstream's to be told, only this replica knows. */
  end(id: string): void {
    this.#sessions.delete(id);
    this.#ended.set(id, true);
  }

  hasEnded(id: string): boolean {
    return this.#ended.get(id) === true;
  }

  /** The upstream no longer knows it. */
  forget(id: string, session: UpstreamSession): void {
    if (this.#sessions.get(id) === session) this.#sessions.delete(id);
  }
}
