import type { RoundPlan } from '../measure-throughput.ts';

/** `smallest` shows that everything works, in a few seconds; `quick` gives a first impression. Only figures of `full` are worth comparing. */
export type ReportLength = 'full' | 'quick' | 'smallest';

export interface ReportPlan {
  readonly authentication: {
    readonly load: RoundPlan;
    /** At one connection. */
    readonly latency: Pick<RoundPlan, 'rounds' | 'seconds'>;
    /** Of the rows, every so-manieth. */
    readonly every: number;
  };
  readonly servers: { readonly counts: readonly number[]; readonly edits: number; readonly load: Pick<RoundPlan, 'warmUpSeconds' | 'seconds'> };
  readonly streams: { readonly count: number; readonly idleSeconds: number; readonly commentMs: number; readonly latencySeconds: number };
  readonly propagation: { readonly dataPlanes: readonly number[]; readonly edits: number };
}

export const reportPlans: Readonly<Record<ReportLength, ReportPlan>> = {
  full: {
    authentication: { load: { warmUpSeconds: 2, rounds: 3, seconds: 3 }, latency: { rounds: 1, seconds: 2 }, every: 1 },
    servers: { counts: [10, 100, 1_000, 10_000, 100_000], edits: 200, load: { warmUpSeconds: 4, seconds: 5 } },
    // Two of the keep-alive comments that a data plane writes by default.
    streams: { count: 10_000, idleSeconds: 41, commentMs: 20_000, latencySeconds: 3 },
    propagation: { dataPlanes: [1, 2, 4, 8], edits: 100 },
  },
  quick: {
    authentication: { load: { warmUpSeconds: 1, rounds: 1, seconds: 1 }, latency: { rounds: 1, seconds: 1 }, every: 1 },
    servers: { counts: [10, 1_000], edits: 20, load: { warmUpSeconds: 1, seconds: 1 } },
    streams: { count: 500, idleSeconds: 3, commentMs: 1_000, latencySeconds: 1 },
    propagation: { dataPlanes: [1, 2], edits: 10 },
  },
  smallest: {
    authentication: { load: { warmUpSeconds: 0, rounds: 1, seconds: 1 }, latency: { rounds: 0, seconds: 1 }, every: 8 },
    servers: { counts: [10], edits: 3, load: { warmUpSeconds: 0, seconds: 1 } },
    streams: { count: 20, idleSeconds: 1, commentMs: 200, latencySeconds: 1 },
    propagation: { dataPlanes: [1], edits: 3 },
  },
};
