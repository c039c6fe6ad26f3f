import { AggregatorRegistry, type Registry } from 'prom-client';
import type { DescribedMetric } from './worker-messages.ts';

/** Gauges that are no amounts: of several workers the worst is told. All others, and every counter and histogram, are added up. */
const worst: [name: RegExp, aggregator: 'min' | 'max'][] = [
  [/^gatehouse_snapshot_(revision|documents)$|^process_start_time_seconds$/, 'min'],
  [/^gatehouse_snapshot_(age_seconds|rejected_documents)$|^gatehouse_channel_degraded$|_info$|lag|utilization|ratio/, 'max'],
];

/** The metrics of all workers as those of one data plane. */
export function sumMetrics(parts: readonly (readonly DescribedMetric[])[]): Registry {
  return AggregatorRegistry.aggregate(parts.map((metrics) => metrics.map(withRule)));
}

function withRule(metric: DescribedMetric): DescribedMetric {
  const rule = metric.type === 'gauge' ? worst.find(([name]) => name.test(metric.name)) : undefined;
  return rule ? { ...metric, aggregator: rule[1] } : metric;
}

/** What of a worker's metrics outlives it: counts, which never fall. */
export const countsOf = (metrics: readonly DescribedMetric[]): readonly DescribedMetric[] => metrics.filter(({ type }) => type !== 'gauge');
