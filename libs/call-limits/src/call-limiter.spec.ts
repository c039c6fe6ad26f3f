import { describe, expect, it } from 'vitest';
import { CallLimiter, type Entered, type LimitedRequest, type LimitRefusal, type Place } from './call-limiter.ts';
import { createMemorySharedBuckets } from './memory-shared-buckets.ts';
import { type LimitsConfig, prepareLimits, type RateConfig } from './prepare-limits.ts';
import type { SharedBuckets } from './shared-buckets.ts';
import { randomOf } from './spec-support/random-of.ts';

interface Setup {
  readonly defaults?: { readonly server: number; readonly caller: number };
  readonly buckets?: SharedBuckets;
  readonly onSharedAlone?: () => void;
}

function setup(config: LimitsConfig, { defaults = { server: 0, caller: 0 }, buckets, onSharedAlone = () => undefined }: Setup = {}) {
  let now = 5_000;
  const limiter = new CallLimiter({ now: () => now, buckets: buckets ?? createMemorySharedBuckets(() => now), defaults, onSharedChange: () => undefined, onSharedAlone });
  const limits = prepareLimits('w/s', config);
  return {
    limiter,
    pass: (ms: number) => void (now += ms),
    enter: async (request: Partial<LimitedRequest> = {}): Promise<Entered> => limiter.enter(limits, { server: 'w/s', caller: 'ana', calls: 1, tools: [], ...request }),
  };
}

const refusalOf = (entered: Entered): LimitRefusal | undefined => ('limit' in entered ? entered : undefined);
const placeOf = (entered: Entered): Place | undefined => ('limit' in entered ? undefined : entered.place);
const outcomesOf = async (all: (Entered | Promise<Entered>)[]): Promise<string> => (await Promise.all(all.map((one) => Promise.resolve(one)))).map((entered) => (refusalOf(entered) === undefined ? '+' : '-')).join('');

describe('rates', () => {
  it.each<[string, RateConfig['per'], Partial<LimitedRequest>[], string]>([
    ['each caller has its own', 'caller', [{}, {}, { caller: 'ben' }, { caller: 'ben' }], '+-+-'],
    ['all callers have one together', 'server', [{}, { caller: 'ben' }], '+-'],
    ['each tool has its own, whoever calls it', 'tool', [{ tools: ['a'] }, { tools: ['a'], caller: 'ben' }, { tools: ['b'] }], '+-+'],
    ['each caller and tool has its own', 'caller-tool', [{ tools: ['a'] }, { tools: ['a'] }, { tools: ['a'], caller: 'ben' }, { tools: ['b'] }], '+-++'],
    ['what calls no tool is not counted by tool', 'tool', [{}, {}, {}], '+++'],
  ])('%s: per %s', async (_, per, requests, outcomes) => {
    for (const shared of [false, true]) {
      const { enter } = setup({ rates: [{ per, calls: 1, seconds: 60, shared }] });
      const entered: Entered[] = [];
      for (const request of requests) entered.push(await enter(request));
      expect(await outcomesOf(entered), shared ? 'shared' : 'local').toBe(outcomes);
    }
  });

  it('tools that no pattern fits are not counted', async () => {
    const { enter } = setup({ rates: [{ per: 'tool', tools: ['delete_*'], calls: 1, seconds: 60 }] });
    const called = ['find', 'find', 'delete_order', 'delete_order', 'delete_user'].map((tool) => enter({ tools: [tool] }));
    expect(await outcomesOf(called)).toBe('+++-+');
  });

  it('of a name of any length nothing long is kept, and two of them are two', async () => {
    const { enter } = setup({ rates: [{ per: 'tool', calls: 1, seconds: 60 }] });
    const [one, other] = [`${'x'.repeat(1_000_000)}1`, `${'x'.repeat(1_000_000)}2`];
    expect(await outcomesOf([one, one, other].map((tool) => enter({ tools: [tool] })))).toBe('+-+');
  });

  it('however many names are made up, their buckets are not more', async () => {
    const keys = new Set<string>();
    const buckets: SharedBuckets = {
      take: (key, _rate, wanted) => {
        keys.add(key);
        return Promise.resolve({ granted: wanted, nextMs: -60_000 });
      },
      close: () => Promise.resolve(),
    };
    const { enter } = setup({ rates: [{ per: 'tool', calls: 100_000, seconds: 60, shared: true }] }, { buckets });
    for (let call = 0; call < 200; call += 1) await enter({ calls: 100, tools: Array.from({ length: 100 }, (_, tool) => `made up ${call} ${tool}`) });
    expect(keys.size).toBe(1_024);
  });

  it.each([true, false])('names that are counted together are so in one batch as well; shared: %s', async (shared) => {
    const { enter, pass } = setup({ rates: [{ per: 'tool', calls: 10, seconds: 60, shared }] });
    const tools = Array.from({ length: 20 * 1_024 }, (_, tool) => `made up ${tool}`);
    expect(await enter({ calls: tools.length, tools })).toMatchObject({ retryMs: Infinity });
    pass(60_000);
    expect(await outcomesOf([enter({ tools: ['made up 1'] })])).toBe('+');
  });

  it('each call of a batch counts', async () => {
    const { enter } = setup({ rates: [{ per: 'caller', calls: 5, seconds: 60 }, { per: 'tool', tools: ['a'], calls: 2, seconds: 60 }] });
    expect(await outcomesOf([enter({ calls: 3, tools: ['a', 'a', 'a'] }), enter({ calls: 3, tools: ['a', 'b', 'b'] }), enter({ calls: 3 }), enter({ calls: 2 })])).toBe('-+-+');
  });

  it('a call that one rate refuses has used up nothing of the others, here and in common', async () => {
    for (const shared of [false, true]) {
      const { enter } = setup({ rates: [{ per: 'server', calls: 2, seconds: 60, shared }, { per: 'caller', calls: 1, seconds: 60 }] });
      expect(await outcomesOf([await enter(), await enter(), await enter(), await enter({ caller: 'ben' }), await enter({ caller: 'eva' })])).toBe('+--+-');
    }
    const { enter } = setup({ rates: [{ per: 'server', calls: 2, seconds: 60, shared: true }, { per: 'caller', calls: 1, seconds: 60, shared: true }] });
    expect(await outcomesOf([await enter(), await enter(), await enter(), await enter({ caller: 'ben' }), await enter({ caller: 'eva' })])).toBe('+--+-');
  });

  it('what another call took while a shared rate was asked for counts', async () => {
    const { enter } = setup({ rates: [{ per: 'server', calls: 100, seconds: 60, shared: true }, { per: 'caller', calls: 1, seconds: 60 }] });
    expect(await outcomesOf([enter(), enter(), enter()])).toBe('+--');
  });

  it('and what that one has taken in common is given back', async () => {
    const { enter } = setup({ rates: [{ per: 'server', calls: 2, seconds: 3_600, shared: true }, { per: 'caller', calls: 1, seconds: 3_600 }] });
    expect(await outcomesOf([enter(), enter()])).toBe('+-');
    expect(await outcomesOf([enter({ caller: 'ben' }), enter({ caller: 'eva' })])).toBe('+-');
  });

  it.each<[string, RateConfig[]]>([
    ['narrow', [{ per: 'caller', calls: 60, seconds: 3_600, burst: 30, shared: true }, { per: 'server', calls: 60, seconds: 60, shared: true }]],
    ['wide', [{ per: 'server', calls: 60, seconds: 60, shared: true }, { per: 'caller', calls: 60, seconds: 3_600, burst: 30, shared: true }]],
  ])('a caller over its own shared rate takes nothing of the server from other data planes; the %s one is first in the document', async (_, rates) => {
    let now = 5_000;
    const buckets = createMemorySharedBuckets(() => now);
    const limits = prepareLimits('w/s', { rates });
    const passes = async (limiter: CallLimiter, caller: string): Promise<boolean> => !('limit' in (await limiter.enter(limits, { server: 'w/s', caller, calls: 1, tools: [] })));
    const [one, other] = [1, 2].map(() => new CallLimiter({ now: () => now, buckets, defaults: { server: 0, caller: 0 }, onSharedChange: () => undefined, onSharedAlone: () => undefined })) as [CallLimiter, CallLimiter];
    for (let call = 0; call < 60; call += 1) await passes(one, 'greedy');
    now += 1_000;
    for (let call = 0; call < 60; call += 1) await passes(other, `caller ${call}`);
    const through = { greedy: 0, others: 0 };
    for (let round = 0; round < 600; round += 1) {
      now += 100;
      if (await passes(one, 'greedy')) through.greedy += 1;
      if (round % 5 === 4 && (await passes(other, `other ${round % 7}`))) through.others += 1;
    }
    expect(through.greedy + through.others).toBeGreaterThanOrEqual(55);
    expect(through.greedy).toBeLessThanOrEqual(2);
  });

  it('of a batch that never fits nobody is told to come again', async () => {
    for (const shared of [false, true]) {
      const { enter } = setup({ rates: [{ per: 'caller', calls: 60, seconds: 60, burst: 5, shared }], concurrentCalls: { caller: 8, server: 10 } });
      expect(await enter({ calls: 6 })).toEqual({ limit: { per: 'caller', calls: 60, seconds: 60, burst: 5 }, retryMs: Infinity });
      expect(await enter({ calls: 9 })).toEqual({ limit: { per: 'caller', concurrentCalls: 8 }, retryMs: Infinity });
    }
  });

  it('says which limit it is, and the longest of all waits', async () => {
    const { enter } = setup({ rates: [{ per: 'caller', calls: 1, seconds: 10 }, { per: 'server', calls: 2, seconds: 60, burst: 1 }, { per: 'tool', calls: 1, seconds: 1 }] });
    await enter({ tools: ['a'] });
    expect(await enter({ tools: ['a'] })).toEqual({ limit: { per: 'server', calls: 2, seconds: 60, burst: 1 }, retryMs: 30_000 });
  });

  it.each([true, false])('whoever is told how long to wait is let in then, and not before; shared: %s', async (shared) => {
    const { enter, pass } = setup({ rates: [{ per: 'caller', calls: 3, seconds: 7, burst: 2, shared }] });
    for (let round = 0; round < 20; round += 1) {
      const refusal = refusalOf(await enter());
      if (refusal === undefined) continue;
      pass(refusal.retryMs - 0.01);
      expect(refusalOf(await enter())).toBeDefined();
      pass(0.02);
      expect(refusalOf(await enter())).toBeUndefined();
    }
  });

  it('an edit of the rate begins anew, any other edit does not', async () => {
    const { limiter, enter } = setup({ rates: [{ per: 'caller', calls: 1, seconds: 60 }] });
    const request = { server: 'w/s', caller: 'ana', calls: 1, tools: [] };
    await enter();
    const again = (rate: Partial<RateConfig>) => limiter.enter(prepareLimits('w/s', { rates: [{ per: 'caller', calls: 1, seconds: 60, ...rate }], concurrentCalls: { caller: 5 } }), request);
    expect(await outcomesOf([again({}), again({ calls: 2 })])).toBe('-+');
  });
});

describe('calls under way', () => {
  it('as many as may at the same time, of each caller and of all', async () => {
    const { enter } = setup({ concurrentCalls: { server: 3, caller: 2 } });
    const [first, , third] = await Promise.all([enter(), enter(), enter()]);
    expect(third).toEqual({ limit: { per: 'caller', concurrentCalls: 2 }, retryMs: 1_000 });
    expect(await outcomesOf([enter({ caller: 'ben' })])).toBe('+');
    expect(await enter({ caller: 'eva' })).toEqual({ limit: { per: 'server', concurrentCalls: 3 }, retryMs: 1_000 });
    if (first !== undefined) placeOf(first)?.leave();
    expect(await outcomesOf([enter({ caller: 'eva' }), enter({ caller: 'ben' })])).toBe('+-');
  });

  it('a place is left once, however often that is said', async () => {
    const { enter, limiter } = setup({ concurrentCalls: { caller: 2 } });
    const place = placeOf(await enter());
    await enter();
    place?.leave();
    place?.leave();
    expect(limiter.places).toBe(1);
    expect(await outcomesOf([enter(), enter()])).toBe('+-');
  });

  it.each([{ server: 1, caller: 0 }, { server: 0, caller: 1 }])('settings hold where a server says nothing: %o', async (defaults) => {
    const { limiter, enter } = setup({ concurrentCalls: { server: 2, caller: 2 } }, { defaults });
    const ofAll = limiter.limitsOf(undefined);
    const other = { server: 'w/other', caller: 'ana', calls: 1, tools: [] };
    expect(ofAll && (await outcomesOf([limiter.enter(ofAll, other), limiter.enter(ofAll, other)]))).toBe('+-');
    expect(await outcomesOf([enter(), enter(), enter()])).toBe('++-');
  });

  it('nothing is limited where nobody says so', () => {
    const { limiter } = setup({});
    expect(limiter.limitsOf(undefined)).toBeUndefined();
  });

  it('a call that a rate refuses holds no place, also while a shared one is asked for', async () => {
    const { enter, limiter } = setup({ rates: [{ per: 'caller', calls: 1, seconds: 60, shared: true }, { per: 'server', calls: 2, seconds: 60 }], concurrentCalls: { server: 10 } });
    expect(await outcomesOf([enter(), enter(), enter({ caller: 'ben' }), enter({ caller: 'eva' })])).toBe('+-+-');
    expect(limiter.places).toBe(2);
  });

  it('a batch of any size is let in while Redis is away, and leaves its places', async () => {
    const buckets: SharedBuckets = { take: () => Promise.reject(new Error('away')), close: () => Promise.resolve() };
    const { enter, limiter } = setup({ rates: Array.from({ length: 16 }, (_, rate): RateConfig => ({ per: 'tool', calls: 100_000 + rate, seconds: 60, shared: true })), concurrentCalls: { server: 20_000 } }, { buckets });
    await enter({ tools: ['a'] });
    const entered = await enter({ calls: 10_000, tools: Array.from({ length: 10_000 }, (_, tool) => `made up ${tool}`) });
    expect(refusalOf(entered)).toBeUndefined();
    placeOf(entered)?.leave();
    expect(limiter.places).toBe(1);
  });

  it('whatever fails while a call enters, its place is left', async () => {
    const buckets: SharedBuckets = { take: () => Promise.reject(new Error('away')), close: () => Promise.resolve() };
    let isBroken = false;
    const onSharedAlone = (): void => {
      if (isBroken) throw new Error('broken');
    };
    const { enter, limiter } = setup({ rates: [{ per: 'server', calls: 10, seconds: 60, shared: true }], concurrentCalls: { server: 2 } }, { buckets, onSharedAlone });
    placeOf(await enter())?.leave();
    isBroken = true;
    await expect(enter()).rejects.toThrow('broken');
    expect([limiter.places, limiter.counted]).toEqual([0, 0]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('of any calls, begun and ended in any order, none is left when all are over (seed %i)', async (seed) => {
    const random = randomOf(seed);
    const oneOf = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
    const answers: (() => void)[] = [];
    const buckets: SharedBuckets = {
      take: (_key, _rate, wanted) => new Promise((resolve, reject) => void answers.push(() => (random() < 0.3 ? reject(new Error('away')) : resolve({ granted: Math.floor(random() * (wanted + 1)), nextMs: 10 })))),
      close: () => Promise.resolve(),
    };
    const shared = random() < 0.7;
    const max = { server: 1 + Math.floor(random() * 20), caller: 1 + Math.floor(random() * 5) };
    const { enter, limiter, pass } = setup({ rates: [{ per: 'caller', calls: 20, seconds: 1, shared }, { per: 'tool', calls: 5, seconds: 1 }], concurrentCalls: max }, { buckets });
    const places: (Place | undefined)[] = [];
    const entering: Promise<void>[] = [];
    for (let step = 0; step < 1_000; step += 1) {
      pass(random() * 20);
      const what = random();
      if (what < 0.5) entering.push(enter({ caller: oneOf(['ana', 'ben', 'eva']), calls: oneOf([1, 1, 1, 2]), tools: oneOf([[], ['a'], ['b', 'b']]) }).then((entered) => void places.push(placeOf(entered))));
      else if (what < 0.8) oneOf(places)?.leave();
      else answers.splice(Math.floor(random() * answers.length), 1)[0]?.();
      if (random() < 0.2) await Promise.resolve();
      expect(limiter.places).toBeLessThanOrEqual(max.server);
    }
    while (entering.length > 0) {
      for (const answer of answers.splice(0)) answer();
      const all = Promise.all(entering).then(() => void entering.splice(0));
      await Promise.race([all, new Promise((resolve) => setImmediate(resolve))]);
    }
    for (const place of places) place?.leave();
    expect([limiter.places, limiter.counted]).toEqual([0, 0]);
  });
});
