import { Histogram, type Registry } from 'prom-client';
import type { Stage, StageClock } from '../pipeline/stage-clock.ts';

/** Asking the clock costs as much as a stage does: one request in so many is enough to know what stages take. */
const oneIn = 32;

/** What may have come before a stage; a request that was answered without an upstream has not come past it. */
const follows: Readonly<Record<Stage, readonly (Stage | undefined)[]>> = {
  authenticate: [undefined],
  read: ['authenticate'],
  // Again, where the upstream wants other credentials.
  prepare: ['read', 'upstream'],
  // Again, where a session has to be opened first.
  upstream: ['prepare', 'upstream'],
  answer: ['upstream'],
};

/**
 * What the stages of requests take, of one request in 32.
 * @returns gives a clock for a request that begins now, or mostly none
 */
export function observeStages(registry: Registry, now: () => number): () => StageClock | undefined {
  const durations = new Histogram({
    name: 'gatehouse_stage_duration_seconds',
    help: 'What the stages of a request take, of one request in 32: authenticate, read, prepare (rules and credentials), upstream (to the head of its answer), answer (to the head of ours).',
    labelNames: ['stage'],
    buckets: [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
    registers: [registry],
  });
  // Label look-ups cost more than counting.
  const ofStage = (stage: Stage): Observed => ({ duration: durations.labels({ stage }), follows: follows[stage] });
  const stages = { authenticate: ofStage('authenticate'), read: ofStage('read'), prepare: ofStage('prepare'), upstream: ofStage('upstream'), answer: ofStage('answer') };
  let requests = 0;
  return () => {
    requests += 1;
    return requests % oneIn === 0 ? new ObservedStages(stages, now) : undefined;
  };
}

interface Observed {
  readonly duration: Histogram.Internal<'stage'>;
  readonly follows: readonly (Stage | undefined)[];
}

class ObservedStages implements StageClock {
  readonly #stages: Readonly<Record<Stage, Observed>>;
  readonly #now: () => number;
  #since: number;
  #last: Stage | undefined;
  /** Members of a virtual server are asked at once: what lies between two of them is no stage. */
  #isEntangled = false;

  constructor(stages: Readonly<Record<Stage, Observed>>, now: () => number) {
    this.#stages = stages;
    this.#now = now;
    this.#since = now();
  }

  passed(stage: Stage): void {
    if (this.#isEntangled) return;
    const { duration, follows: before } = this.#stages[stage];
    if (!before.includes(this.#last)) {
      this.#isEntangled = true;
      return;
    }
    const now = this.#now();
    duration.observe((now - this.#since) / 1000);
    this.#since = now;
    this.#last = stage;
  }
}
