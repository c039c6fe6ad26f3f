import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { expect, it, vi } from 'vitest';
import { observeProcess } from './process-metrics.ts';
import { version } from './version.ts';

const valueOf = async (registry: Registry, name: string): Promise<number> => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(await registry.metrics())?.[1]);
const keepBusyFor = (ms: number): void => {
  for (const until = Date.now() + ms; Date.now() < until; );
};

it('says which release it is, since when, and what it takes', async () => {
  const registry = new Registry();
  const end = observeProcess(registry, 'spec');
  expect(await registry.metrics()).toContain(`gatehouse_build_info{version="${version}",role="spec",node="${process.version}"} 1`);
  expect(await valueOf(registry, 'process_start_time_seconds')).toBeCloseTo(Date.now() / 1000 - process.uptime(), 0);
  expect(await valueOf(registry, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
  expect(await valueOf(registry, 'nodejs_heap_size_used_bytes')).toBeLessThan(await valueOf(registry, 'nodejs_heap_size_limit_bytes'));

  const cpu = await valueOf(registry, 'process_cpu_seconds_total');
  keepBusyFor(50);
  expect(await valueOf(registry, 'process_cpu_seconds_total')).toBeGreaterThan(cpu);
  end();
});

it('counts descriptors where the system tells of them', async () => {
  const registry = new Registry();
  const end = observeProcess(registry, 'spec');
  const before = await valueOf(registry, 'process_open_fds');
  const files = await Promise.all(Array.from({ length: 50 }, () => open('/dev/null')));
  const during = await valueOf(registry, 'process_open_fds');
  await Promise.all(files.map((file) => file.close()));
  const known = [during - before > 25, (await valueOf(registry, 'process_max_fds')) > during];
  expect(known).toEqual(process.platform === 'linux' ? [true, true] : [false, false]);
  end();
});

it('an event loop that is held up is late, and garbage that is collected is counted, until it is ended', async () => {
  const registry = new Registry();
  const end = observeProcess(registry, 'spec');
  await vi.waitFor(async () => {
    // The delay is counted from one turn to the next.
    await delay(60);
    keepBusyFor(200);
    await delay(60);
    expect(await valueOf(registry, 'nodejs_eventloop_lag_max_seconds')).toBeGreaterThan(0.1);
  }, 20_000);
  const garbage = async (): Promise<number> => Number(/^nodejs_gc_duration_seconds_count\{kind="minor"\} (\d+)$/m.exec(await registry.metrics())?.[1] ?? 0);
  await vi.waitFor(async () => {
    for (let index = 0; index < 200; index += 1) JSON.parse(JSON.stringify(Array.from({ length: 5_000 }, (_, at) => ({ at }))));
    await delay(10);
    expect(await garbage()).toBeGreaterThan(0);
  }, 20_000);
  expect(await valueOf(registry, 'nodejs_eventloop_utilization_ratio')).toBeGreaterThan(0);
  end();
  end();
});
