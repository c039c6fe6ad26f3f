import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { countsOf, sumMetrics } from './summed-metrics.ts';
import type { DescribedMetric } from './worker-messages.ts';

/** As it comes from a worker: through JSON. */
async function describe(calls: number, revision: number, streams: number): Promise<readonly DescribedMetric[]> {
  const registers = [new Registry()] as const;
  const help = 'of the spec';
  new Counter({ name: 'gatehouse_requests_total', help, labelNames: ['server'], registers: [...registers] }).inc({ server: 'orders' }, calls);
  const durations = new Histogram({ name: 'gatehouse_request_duration_seconds', help, buckets: [1], registers: [...registers] });
  for (let call = 0; call < calls; call += 1) durations.observe(0.5);
  new Gauge({ name: 'gatehouse_snapshot_revision', help, registers: [...registers] }).set(revision);
  new Gauge({ name: 'gatehouse_snapshot_age_seconds', help, registers: [...registers] }).set(revision);
  new Gauge({ name: 'gatehouse_open_streams', help, registers: [...registers] }).set(streams);
  return JSON.parse(JSON.stringify(await registers[0].getMetricsAsJSON())) as DescribedMetric[];
}

it('amounts are added up, of what is none the worst is told, and counts outlive their worker', async () => {
  const [one, two, departed] = await Promise.all([describe(2, 7, 3), describe(4, 5, 1), describe(8, 1, 9)]);
  const text = await sumMetrics([countsOf(departed), one, two]).metrics();
  expect(text).toContain('gatehouse_requests_total{server="orders"} 14');
  expect(text).toContain('gatehouse_request_duration_seconds_bucket{le="1"} 14');
  expect(text).toContain('gatehouse_request_duration_seconds_count 14');
  expect(text).toContain('gatehouse_snapshot_revision 5');
  expect(text).toContain('gatehouse_snapshot_age_seconds 7');
  expect(text).toContain('gatehouse_open_streams 4');
  // And their descriptions are there, once.
  expect(text.split('# TYPE gatehouse_requests_total counter')).toHaveLength(2);
});
