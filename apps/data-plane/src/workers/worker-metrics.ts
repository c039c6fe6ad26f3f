import { Counter, Gauge, type Registry } from 'prom-client';
import type { Workers } from './workers.ts';

/** What the primary process itself knows of the workers. */
export function addWorkerMetrics(registry: Registry, { slots, restarts }: Workers): void {
  const registers = [registry];
  new Gauge({ name: 'gatehouse_workers', help: 'Processes that share the public port, and run.', registers }).set(slots.filter(({ process }) => process).length);
  new Counter({ name: 'gatehouse_worker_restarts_total', help: 'Workers that ended and were started again.', registers }).inc(restarts);
}
