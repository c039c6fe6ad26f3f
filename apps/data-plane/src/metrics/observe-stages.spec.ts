import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { Stage, StageClock } from '../pipeline/stage-clock.ts';
import { observeStages } from './observe-stages.ts';

function setup() {
  let now = 1_000;
  const registry = new Registry();
  const clockOf = observeStages(registry, () => now);
  const next = (): StageClock => {
    for (;;) {
      const clock = clockOf();
      if (clock !== undefined) return clock;
    }
  };
  const pass = (clock: StageClock, ...stages: [Stage, number][]): void => {
    for (const [stage, ms] of stages) {
      now += ms;
      clock.passed(stage);
    }
  };
  const sums = async (): Promise<Record<string, number>> =>
    Object.fromEntries([...(await registry.metrics()).matchAll(/^gatehouse_stage_duration_seconds_sum\{stage="(\w+)"\} (\S+)$/gm)].flatMap(([, stage = '', sum]) => (Number(sum) > 0 ? [[stage, Math.round(Number(sum) * 1000)]] : [])));
  return { clockOf, next, pass, sums };
}

it('one request in 32 has a clock', () => {
  const { clockOf } = setup();
  expect(Array.from({ length: 96 }, clockOf).filter((clock) => clock !== undefined)).toHaveLength(3);
});

it('each stage takes from the end of the one before; what is asked for twice counts twice', async () => {
  const { next, pass, sums } = setup();
  pass(next(), ['authenticate', 1], ['read', 2], ['prepare', 4], ['upstream', 8], ['prepare', 16], ['upstream', 32], ['upstream', 64], ['answer', 128]);
  expect(await sums()).toEqual({ authenticate: 1, read: 2, prepare: 20, upstream: 104, answer: 128 });
});

it('a request that ends early, or is answered without an upstream, has come past what it has come past', async () => {
  const { next, pass, sums } = setup();
  pass(next(), ['authenticate', 1]);
  pass(next(), ['authenticate', 1], ['read', 2], ['answer', 1_000]);
  expect(await sums()).toEqual({ authenticate: 2, read: 2 });
});

it('of a virtual server’s members that are asked at once nothing is told', async () => {
  const { next, pass, sums } = setup();
  pass(next(), ['authenticate', 1], ['read', 2], ['prepare', 4], ['prepare', 8], ['upstream', 16], ['upstream', 32], ['answer', 64]);
  expect(await sums()).toEqual({ authenticate: 1, read: 2, prepare: 4 });
});
