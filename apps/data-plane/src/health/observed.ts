import type { Readiness } from '../data-plane.ts';

/** What the internal port tells of: one data plane, or the workers of one. */
export interface Observed {
  readiness(): Readiness | Promise<Readiness>;
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
  describeSnapshot(): object | Promise<object>;
}

/** Under which Nest injects it. */
export const observedToken = Symbol('observed');
