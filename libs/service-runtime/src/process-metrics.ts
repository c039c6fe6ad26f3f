import { readdirSync, readFileSync, statSync } from 'node:fs';
import { constants, monitorEventLoopDelay, performance, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { version } from './version.ts';

/** How often the event loop's delay is measured; a loop with nothing to do is late by exactly this, by Node's count. */
const resolutionMs = 20;

/**
 * What the process is and what it takes, under the names that Prometheus' clients for Node have in common. prom-client's own are not
 * used: they cannot be ended, count one collection of garbage of several, and list every open descriptor at each scrape, which with
 * ten thousand callers is felt by all of them.
 * @returns ends the measuring
 */
export function observeProcess(registry: Registry, role: string): () => void {
  const registers = [registry];
  const build = new Gauge({ name: 'gatehouse_build_info', help: 'Always 1: which release this is, in which role, on which Node.', labelNames: ['version', 'role', 'node'], registers, aggregator: 'first' });
  build.set({ version, role, node: process.version }, 1);
  addProcessUse(registry);
  addHeap(registry);
  const endings = [observeEventLoop(registry), observeGarbageCollection(registry)];
  return () => {
    for (const end of endings) end();
  };
}

function addProcessUse(registry: Registry): void {
  const registers = [registry];
  const startedAt = Date.now() / 1000 - process.uptime();
  new Gauge({ name: 'process_start_time_seconds', help: 'When the process began, since the epoch.', registers, aggregator: 'min' }).set(startedAt);
  let counted = { user: 0, system: 0 };
  const user = new Counter({ name: 'process_cpu_user_seconds_total', help: 'Of the processors, in the program.', registers });
  const system = new Counter({ name: 'process_cpu_system_seconds_total', help: 'Of the processors, in the kernel.', registers });
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Of the processors, in total.',
    registers,
    collect() {
      const now = process.cpuUsage();
      const [userSeconds, systemSeconds] = [(now.user - counted.user) / 1e6, (now.system - counted.system) / 1e6];
      counted = now;
      user.inc(userSeconds);
      system.inc(systemSeconds);
      this.inc(userSeconds + systemSeconds);
    },
  });
  addGauge(registry, 'process_resident_memory_bytes', 'Memory of the process.', () => process.memoryUsage.rss());
  addGauge(registry, 'process_open_fds', 'Open descriptors: connections, mostly.', countDescriptors);
  const limit = descriptorLimit();
  addGauge(registry, 'process_max_fds', 'How many descriptors may be open.', () => limit);
}

function addHeap(registry: Registry): void {
  const heap = (name: string, help: string, value: (heap: ReturnType<typeof getHeapStatistics>) => number): void => addGauge(registry, name, help, () => value(getHeapStatistics()));
  heap('nodejs_heap_size_total_bytes', 'What the heap takes.', ({ total_heap_size }) => total_heap_size);
  heap('nodejs_heap_size_used_bytes', 'What of the heap is in use.', ({ used_heap_size }) => used_heap_size);
  heap('nodejs_heap_size_limit_bytes', 'What the heap may take.', ({ heap_size_limit }) => heap_size_limit);
  heap('nodejs_external_memory_bytes', 'What of memory hangs on the heap and is outside of it: buffers.', ({ external_memory }) => external_memory);
}

/** Each scrape tells of the time since the one before. */
function observeEventLoop(registry: Registry): () => void {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  const registers = [registry];
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000) || 0;
  const mean = new Gauge({ name: 'nodejs_eventloop_lag_mean_seconds', help: 'How late the event loop came to what was due, since the last scrape: on average.', registers, aggregator: 'average' });
  const p50 = new Gauge({ name: 'nodejs_eventloop_lag_p50_seconds', help: 'The same, in half of all cases at most.', registers, aggregator: 'average' });
  const max = new Gauge({ name: 'nodejs_eventloop_lag_max_seconds', help: 'The same, at worst.', registers, aggregator: 'max' });
  new Gauge({
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: 'The same, in 99 of 100 cases at most.',
    registers,
    aggregator: 'max',
    collect() {
      mean.set(late(delays.mean));
      p50.set(late(delays.percentile(50)));
      max.set(late(delays.max));
      this.set(late(delays.percentile(99)));
      delays.reset();
    },
  });
  let before = performance.eventLoopUtilization();
  new Gauge({
    name: 'nodejs_eventloop_utilization_ratio',
    help: 'Which part of the time since the last scrape the event loop had something to do: 1 is a full core.',
    registers,
    aggregator: 'average',
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
  return () => delays.disable();
}

const collections = new Map<unknown, string>([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

function observeGarbageCollection(registry: Registry): () => void {
  const duration = new Histogram({
    name: 'nodejs_gc_duration_seconds',
    help: 'Collections of garbage, by kind.',
    labelNames: ['kind'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
    registers: [registry],
  });
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as { detail?: { kind?: unknown } }).detail ?? {};
      duration.observe({ kind: collections.get(kind) ?? 'other' }, entry.duration / 1000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}

/** @param value undefined where it is not known: then there is no series */
function addGauge(registry: Registry, name: string, help: string, value: () => number | undefined): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      const known = value();
      if (known === undefined) this.remove();
      else this.set(known);
    },
  });
}

/** Linux says it as the size of the folder since 6.2; before, and elsewhere, the entries have to be listed. */
function countDescriptors(): number | undefined {
  try {
    const { size } = statSync('/proc/self/fd');
    return size > 0 ? size : readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

function descriptorLimit(): number | undefined {
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    return Number.isFinite(limit) ? limit : undefined;
  } catch {
    return undefined;
  }
}
