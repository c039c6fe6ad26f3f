import { Gauge, type Registry } from 'prom-client';
import type { Sql } from '../database/sql.ts';
import { countOpenServers } from '../servers/count-open-servers.ts';

/** Whoever scrapes waits for the whole page. */
const maxMs = 2_000;

/**
 * How many servers let anybody in (D11, docs/rules.md), asked at each scrape: every replica says the same, also of what another
 * one has changed. While the database is away it is not known, and absent.
 */
export function registerOpenServersGauge(registry: Registry, sql: Sql): void {
  const gauge = new Gauge({
    name: 'gatehouse_open_servers',
    help: 'Servers that are enabled and let anybody in, by whether the gateway holds a credential for them.',
    labelNames: ['credential'],
    registers: [registry],
    collect: async () => {
      const counts = await inTime(countOpenServers(sql));
      gauge.reset();
      if (counts === undefined) return;
      gauge.set({ credential: 'stored' }, counts.withCredential);
      gauge.set({ credential: 'none' }, counts.withoutCredential);
    },
  });
}

async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), maxMs);
  });
  const answered = await Promise.race([answer.catch(() => undefined), timeout]);
  clearTimeout(timer);
  return answered;
}
