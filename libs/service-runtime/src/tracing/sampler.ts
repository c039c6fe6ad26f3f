import type { TraceContext } from './trace-context.ts';

/** Whether a trace is kept, decided where it enters this process. */
export type Sampler = (parent: TraceContext | undefined, traceId: string) => boolean;

/** The names of OTEL_TRACES_SAMPLER (OpenTelemetry, environment variable specification). */
export const samplerNames = ['always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const;

export type SamplerName = (typeof samplerNames)[number];

/** @param ratio from 0 to 1, of those that go by it */
export function samplerOf(name: SamplerName, ratio: number): Sampler {
  switch (name) {
    case 'always_on':
      return () => true;
    case 'always_off':
      return () => false;
    case 'traceidratio':
      return byRatio(ratio);
    case 'parentbased_always_on':
      return byParent(() => true);
    case 'parentbased_always_off':
      return byParent(() => false);
    case 'parentbased_traceidratio':
      return byParent(byRatio(ratio));
  }
}

const byParent = (root: Sampler): Sampler => (parent, traceId) => (parent === undefined ? root(parent, traceId) : parent.isSampled);

/** By the last 56 bits of the id, which are random: whoever goes by them decides alike (OpenTelemetry, probability sampling). */
function byRatio(ratio: number): Sampler {
  const threshold = (1 - ratio) * 2 ** 56;
  return (_parent, traceId) => Number.parseInt(traceId.slice(18), 16) >= threshold;
}
