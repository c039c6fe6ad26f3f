import { ConcurrentCalls } from './concurrent-calls.ts';
import { LeasedTokens } from './leased-tokens.ts';
import type { ConcurrencyConfig, PreparedLimits, PreparedRate, RateSubject } from './prepare-limits.ts';
import type { SharedBuckets } from './shared-buckets.ts';
import { TokenBuckets } from './token-buckets.ts';
import { toolSlot } from './tool-slot.ts';

/** What a request asks for, as limits see it. */
export interface LimitedRequest {
  /** Workspace and id of the server. */
  readonly server: string;
  /** The caller's id. */
  readonly caller: string;
  /** How many calls it has: one, unless it is a batch. */
  readonly calls: number;
  /** The tools that it calls, by name. */
  readonly tools: readonly string[];
}

/** Which limit it was, as whoever was refused may read it. */
export type Limit =
  | { readonly per: RateSubject; readonly calls: number; readonly seconds: number; readonly burst: number }
  | { readonly per: 'server' | 'caller'; readonly concurrentCalls: number };

export interface LimitRefusal {
  readonly limit: Limit;
  /** Until it makes sense to come again; milliseconds. Infinity for a batch that never fits. */
  readonly retryMs: number;
}

/** What a call holds while it is under way. */
export interface Place {
  /** Once, whatever comes of the call; more often does no harm. */
  readonly leave: () => void;
}

/** @property place absent where nothing has to be left */
export type Entered = { readonly place: Place | undefined } | LimitRefusal;

export interface CallLimiterOptions {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly buckets: SharedBuckets;
  /** For servers that say nothing of it; 0 = no limit. */
  readonly defaults: { readonly server: number; readonly caller: number };
  readonly onSharedChange: (isAway: boolean, error?: unknown) => void;
  readonly onSharedAlone: () => void;
}

/** Tokens that a request needs of one bucket. */
interface Need {
  readonly rate: PreparedRate;
  readonly key: string;
  readonly tokens: number;
}

const free: Entered = { place: undefined };

/** Counts calls, and says which are too many. */
export class CallLimiter {
  readonly #now: () => number;
  readonly #buckets: TokenBuckets;
  readonly #leases: LeasedTokens;
  readonly #concurrent = new ConcurrentCalls();
  readonly #defaults: ConcurrencyConfig;
  readonly #ofAll: PreparedLimits | undefined;
  #places = 0;

  constructor({ now, buckets, defaults, onSharedChange, onSharedAlone }: CallLimiterOptions) {
    this.#now = now;
    this.#buckets = new TokenBuckets(now);
    this.#leases = new LeasedTokens({ buckets, alone: new TokenBuckets(now), now: () => this.#now(), onChange: onSharedChange, onAlone: onSharedAlone });
    this.#defaults = { server: defaults.server || undefined, caller: defaults.caller || undefined };
    if (defaults.server > 0 || defaults.caller > 0) this.#ofAll = { rates: [], concurrentCalls: {}, byTool: false };
  }

  /** Calls that hold a place. */
  get places(): number {
    return this.#places;
  }

  /** Of how many servers, and of their callers, calls are under way. */
  get counted(): number {
    return this.#concurrent.size;
  }

  /** @returns `undefined` where nothing is limited */
  limitsOf(own: PreparedLimits | undefined): PreparedLimits | undefined {
    return own ?? this.#ofAll;
  }

  /**
   * Lets a request in, or says which limit refuses it: then it has used up nothing of any. At once where no shared bucket has to be asked.
   * Places come first, as those cost nobody else anything; then what is known to refuse, before anything is taken; then shared tokens,
   * those of the fewest calls first; and those of this data plane last.
   */
  enter(limits: PreparedLimits, request: LimitedRequest): Entered | Promise<Entered> {
    const entered = this.#takePlace(limits, request);
    if ('limit' in entered || limits.rates.length === 0) return entered;
    try {
      const refused = this.#takeTokens(needsOf(limits.rates, request));
      if (!(refused instanceof Promise)) return refused === undefined ? entered : leaveWith(refused, entered);
      return enteredAfter(refused, entered);
    } catch (error) {
      entered.place?.leave();
      throw error;
    }
  }

  #takePlace({ concurrentCalls }: PreparedLimits, { server, caller, calls }: LimitedRequest): Entered {
    const ofServer = concurrentCalls.server ?? this.#defaults.server;
    const ofCaller = concurrentCalls.caller ?? this.#defaults.caller;
    if (ofServer === undefined && ofCaller === undefined) return free;
    const callerKey = `${server}\0${caller}`;
    // The caller's own first: whoever has too many is told so, however busy the server is.
    if (ofCaller !== undefined && !this.#concurrent.enter(callerKey, ofCaller, calls)) return tooMany('caller', ofCaller, calls);
    if (ofServer !== undefined && !this.#concurrent.enter(server, ofServer, calls)) {
      if (ofCaller !== undefined) this.#concurrent.leave(callerKey, calls);
      return tooMany('server', ofServer, calls);
    }
    this.#places += 1;
    let isHere = true;
    const leave = (): void => {
      if (!isHere) return;
      isHere = false;
      this.#places -= 1;
      if (ofCaller !== undefined) this.#concurrent.leave(callerKey, calls);
      if (ofServer !== undefined) this.#concurrent.leave(server, calls);
    };
    return { place: { leave } };
  }

  /** @returns which limit refuses, when nothing was taken */
  #takeTokens(needs: readonly Need[]): LimitRefusal | undefined | Promise<LimitRefusal | undefined> {
    const refusal = this.#refusalOf(needs);
    if (refusal !== undefined) return refusal;
    const shared = needs.filter(({ rate }) => rate.shared);
    const here = needs.filter(({ rate }) => !rate.shared);
    for (const [index, need] of shared.entries()) {
      const waited = this.#leases.take(need.key, need.rate, need.tokens);
      // Mostly there is a lease with enough, and nobody has to be waited for.
      if (waited instanceof Promise) return this.#takeSlowly(shared, index, waited, here);
      if (waited > 0) return this.#giveBack(shared.slice(0, index), need, waited);
    }
    return this.#takeHere(here, shared);
  }

  /** One after the other, from `index` on, of which somebody has to be asked. */
  async #takeSlowly(shared: readonly Need[], index: number, first: Promise<number>, here: readonly Need[]): Promise<LimitRefusal | undefined> {
    let waited: number | Promise<number> = first;
    for (const [offset, need] of shared.slice(index).entries()) {
      if (offset > 0) waited = this.#leases.take(need.key, need.rate, need.tokens);
      const retryMs = await waited;
      if (retryMs > 0) return this.#giveBack(shared.slice(0, index + offset), need, retryMs);
    }
    return this.#takeHere(here, shared);
  }

  #giveBack(taken: readonly Need[], { rate }: Need, retryMs: number): LimitRefusal {
    for (const { key, tokens } of taken) this.#leases.giveBack(key, tokens);
    return { limit: limitOf(rate), retryMs };
  }

  /** Of several that refuse, the one that does so longest; as far as that is known without a question. */
  #refusalOf(needs: readonly Need[]): LimitRefusal | undefined {
    let refusal: LimitRefusal | undefined;
    for (const { rate, key, tokens } of needs) {
      const retryMs = (rate.shared ? this.#leases : this.#buckets).waitMs(key, rate, tokens);
      if (retryMs > (refusal?.retryMs ?? 0)) refusal = { limit: limitOf(rate), retryMs };
    }
    return refusal;
  }

  #takeHere(here: readonly Need[], shared: readonly Need[]): LimitRefusal | undefined {
    // It may have taken a while to ask for those that are shared.
    const refusal = shared.length === 0 ? undefined : this.#refusalOf(here);
    if (refusal === undefined) for (const { rate, key, tokens } of here) this.#buckets.take(key, rate, tokens);
    else for (const { key, tokens } of shared) this.#leases.giveBack(key, tokens);
    return refusal;
  }
}

async function enteredAfter(taking: Promise<LimitRefusal | undefined>, entered: { readonly place: Place | undefined }): Promise<Entered> {
  try {
    const refused = await taking;
    return refused === undefined ? entered : leaveWith(refused, entered);
  } catch (error) {
    entered.place?.leave();
    throw error;
  }
}

function leaveWith(refusal: LimitRefusal, { place }: { readonly place: Place | undefined }): LimitRefusal {
  place?.leave();
  return refusal;
}

/** How long calls take nobody knows: the soonest that makes sense. */
const tooMany = (per: 'server' | 'caller', concurrentCalls: number, calls: number): LimitRefusal => ({ limit: { per, concurrentCalls }, retryMs: calls > concurrentCalls ? Infinity : 1_000 });
const limitOf = ({ per, calls, seconds, burst }: PreparedRate): Limit => ({ per, calls, seconds, burst });

function needsOf(rates: readonly PreparedRate[], { caller, calls, tools }: LimitedRequest): readonly Need[] {
  return rates.flatMap((rate): readonly Need[] => {
    switch (rate.per) {
      case 'server':
        return [{ rate, key: rate.key, tokens: calls }];
      case 'caller':
        return [{ rate, key: `${rate.key}\0${caller}`, tokens: calls }];
      case 'tool':
        return ofTools(rate, rate.key, tools);
      case 'caller-tool':
        return ofTools(rate, `${rate.key}\0${caller}`, tools);
    }
  });
}

function ofTools(rate: PreparedRate, begin: string, tools: readonly string[]): readonly Need[] {
  const slots = Map.groupBy(tools.filter(rate.mayCount), toolSlot);
  return [...slots].map(([slot, same]) => ({ rate, key: `${begin}\0${slot}`, tokens: same.length }));
}
