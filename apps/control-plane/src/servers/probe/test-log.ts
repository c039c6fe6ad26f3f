import type { Mask } from './mask-secrets.ts';
import type { ProbeStep, ProbeStepName, TestReport } from './probe-results.ts';
import { StepFailure } from './step-failure.ts';

/** What a step gives: a sentence alone means that there was nothing to do. */
type StepResult<T> = string | { readonly detail: string; readonly advice?: string; readonly value?: T };

/** The steps of a test as they happen. Everything that is written passes the mask. */
export class TestLog {
  readonly #mask: Mask;
  readonly #names: readonly ProbeStepName[];
  readonly #startedAt = performance.now();
  readonly #steps = new Map<ProbeStepName, ProbeStep>();

  /** @param steps those that there are, in their order */
  constructor(mask: Mask, steps: readonly ProbeStepName[]) {
    this.#mask = mask;
    this.#names = steps;
  }

  /** Makes a step. @throws StepFailure, which is written already. */
  async step<T>(step: ProbeStepName, run: () => Promise<StepResult<T>>): Promise<T | undefined> {
    const startedAt = performance.now();
    try {
      const result = await run();
      const durationMs = performance.now() - startedAt;
      if (typeof result === 'string') return void this.skip(step, result);
      this.#write({ step, outcome: 'passed', durationMs, detail: result.detail, ...(result.advice !== undefined && { advice: result.advice }) });
      return result.value;
    } catch (error) {
      this.fail(step, error, performance.now() - startedAt);
      throw error;
    }
  }

  pass(step: ProbeStepName, detail: string, durationMs: number): void {
    this.#write({ step, outcome: 'passed', durationMs, detail });
  }

  skip(step: ProbeStepName, detail: string, durationMs = 0): void {
    this.#write({ step, outcome: 'skipped', durationMs, detail });
  }

  /** @throws what is no failure of a step. */
  fail(step: ProbeStepName, error: unknown, durationMs: number): void {
    if (!(error instanceof StepFailure)) throw error;
    const { reason, detail, advice } = error;
    this.#write({ step, outcome: 'failed', durationMs, detail, reason, advice });
  }

  report(): TestReport {
    const steps = this.#names.map((step): ProbeStep => this.#steps.get(step) ?? { step, outcome: 'skipped', durationMs: 0 });
    const failed = steps.some(({ outcome }) => outcome === 'failed');
    return { outcome: failed ? 'failed' : 'passed', steps, durationMs: rounded(performance.now() - this.#startedAt) };
  }

  #write(step: ProbeStep): void {
    const { detail, advice } = step;
    this.#steps.set(step.step, {
      ...step,
      durationMs: rounded(step.durationMs),
      ...(detail !== undefined && { detail: this.#mask(detail) }),
      ...(advice !== undefined && { advice: this.#mask(advice) }),
    });
  }
}

const rounded = (milliseconds: number): number => Math.round(milliseconds * 10) / 10;
