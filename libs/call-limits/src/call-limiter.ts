import { boundedName } from './bounded-name.ts';
import { ConcurrentCalls } from './concurrent-calls.ts';
import { LeasedTokens } from './leased-tokens.ts';
import type { ConcurrencyConfig, PreparedLimits, PreparedRate, RateSubject } from './prepare-limits.ts';
import type { SharedBuckets } from './shared-buckets.ts';
import { TokenBuckets } from './token-buckets.ts';

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
  /** Until it makes sense to come again; milliseconds. */
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
   * Places come first, as those cost nobody else anything; tokens of this data plane last, as they cannot have changed meanwhile.
   */
  enter(limits: PreparedLimits, request: LimitedRequest): Entered | Promise<Entered> {
    const entered = this.#takePlace(limits, request);
    if ('limit' in entered || limits.rates.length === 0) return entered;
    const needs = needsOf(limits.rates, request);
    const refusal = this.#refusalHere(needs);
    if (refusal !== undefined) return leaveWith(refusal, entered);
    const shared = needs.filter(({ rate }) => rate.shared);
    if (shared.length === 0) return this.#takeHere(needs, entered);
    const taken = this.#takeShared(shared, 0);
    if (!(taken instanceof Promise)) return taken === undefined ? this.#takeHere(needs, entered) : leaveWith(taken, entered);
    return taken.then((refused) => (refused === undefined ? this.#takeHere(needs, entered) : leaveWith(refused, entered)));
  }

  #takePlace({ concurrentCalls }: PreparedLimits, { server, caller, calls }: LimitedRequest): Entered {
    const ofServer = concurrentCalls.server ?? this.#defaults.server;
    const ofCaller = concurrentCalls.caller ?? this.#defaults.caller;
    if (ofServer === undefined && ofCaller === undefined) return free;
    const callerKey = `${server}\0${caller}`;
    // The caller's own first: whoever has too many is told so, however busy the server is.
    if (ofCaller !== undefined && !this.#concurrent.enter(callerKey, ofCaller, calls)) return tooMany('caller', ofCaller);
    if (ofServer !== undefined && !this.#concurrent.enter(server, ofServer, calls)) {
      if (ofCaller !== undefined) this.#concurrent.leave(callerKey, calls);
      return tooMany('server', ofServer);
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

  /** Of several that refuse, the one that does so longest. */
  #refusalHere(needs: readonly Need[]): LimitRefusal | undefined {
    let refusal: LimitRefusal | undefined;
    for (const { rate, key, tokens } of needs) {
      const retryMs = rate.shared ? 0 : this.#buckets.waitMs(key, rate, tokens);
      if (retryMs > (refusal?.retryMs ?? 0)) refusal = { limit: limitOf(rate), retryMs };
    }
    return refusal;
  }

  #takeHere(needs: readonly Need[], entered: { readonly place: Place | undefined }): Entered {
    // It may have taken a while to ask for those that are shared.
    const refusal = this.#refusalHere(needs);
    if (refusal !== undefined) {
      for (const { rate, key, tokens } of needs) if (rate.shared) this.#leases.giveBack(key, tokens);
      return leaveWith(refusal, entered);
    }
    for (const { rate, key, tokens } of needs) if (!rate.shared) this.#buckets.take(key, rate, tokens);
    return entered;
  }

  /** One after the other, from `index` on; what was taken is given back where a later one refuses. */
  #takeShared(needs: readonly Need[], index: number): LimitRefusal | undefined | Promise<LimitRefusal | undefined> {
    const need = needs[index];
    if (need === undefined) return undefined;
    const then = (retryMs: number): LimitRefusal | undefined | Promise<LimitRefusal | undefined> => {
      if (retryMs === 0) return this.#takeShared(needs, index + 1);
      for (const { key, tokens } of needs.slice(0, index)) this.#leases.giveBack(key, tokens);
      return { limit: limitOf(need.rate), retryMs };
    };
    const waited = this.#leases.take(need.key, need.rate, need.tokens);
    return waited instanceof Promise ? waited.then(then) : then(waited);
  }
}

function leaveWith(refusal: LimitRefusal, { place }: { readonly place: Place | undefined }): LimitRefusal {
  place?.leave();
  return refusal;
}

/** How long calls take nobody knows: the soonest that makes sense. */
const tooMany = (per: 'server' | 'caller', concurrentCalls: number): LimitRefusal => ({ limit: { per, concurrentCalls }, retryMs: 1_000 });
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
  const counted = tools.filter(rate.mayCount);
  return [...Map.groupBy(counted, (tool) => tool)].map(([tool, same]) => ({ rate, key: `${begin}\0${boundedName(tool)}`, tokens: same.length }));
}
