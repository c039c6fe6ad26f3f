import type { Readiness } from '../data-plane.ts';

/** A metric as prom-client describes it: `getMetricsAsJSON`. */
export interface DescribedMetric {
  readonly name: string;
  readonly type: string;
  readonly aggregator?: string;
}

/** What a worker can be asked. */
export interface Answers {
  readonly status: { readonly readiness: Readiness; readonly snapshot: object };
  readonly metrics: readonly DescribedMetric[];
}

/** From the primary process to a worker. */
export type ToWorker = { readonly ask: keyof Answers; readonly id: number } | { readonly stop: true };

/** From a worker to the primary process. */
export type FromWorker = { readonly startedAt: string } | { readonly id: number; readonly answer: Answers[keyof Answers] };
